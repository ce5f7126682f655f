// Package eval measures language models: metric functions on summed losses, and
// the baselines that a model's figures are held against. The trainer and the
// commands call it. Everything is deterministic, the same bits for any number of
// threads; the functions are safe for concurrent use, but parallel regions of one
// pool wait for each other.
package eval
