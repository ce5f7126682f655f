// Package rules holds the project's house rules and checks them: which package
// may import which, what may not be imported or called where, and the shape of
// files, functions and comments. Its test runs them over the whole module, so
// go test ./... enforces them; nothing imports it. Its functions only read what
// they are given and are deterministic.
//
// A rule says what to do instead. A rule that is wrong is changed here and in
// docs/architecture.md, in the same commit.
package rules
