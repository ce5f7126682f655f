// Package codexml embeds the project's own source and documents: the quickstart's
// corpus on a machine without a Go toolchain.
package codexml

import "embed"

// Source is the project's source and documents.
//
//go:embed *.md docs bench checkpoint cli cmd config data eval format generate internal model nn optim plugin provenance std tensor tokenizer track train
var Source embed.FS
