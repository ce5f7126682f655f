// Package std is the list of what the codexml binary is made of: blank imports
// of every built-in component that registers itself by name. A program that
// wants fewer, or others beside them, imports its own list instead.
package std
