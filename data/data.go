// Package data brings text to the trainer: it reads documents from folders, text
// files and JSON lines, splits them into training, validation and test data
// without leaks, keeps their tokens in memory-mapped files, and deals them out in
// batches.
//
//	Load          documents of a configuration, split
//	CacheTokens   documents -> token file, made once, then mapped
//	NewLoader     token file -> batches of a training step
//	NewEvaluation token file -> batches that score every token once
//
// The commands and the trainer call it. Everything here is deterministic: neither
// the number of threads nor the clock reaches a result, and what is random is a
// function of a seed. Functions may be called from several goroutines; Tokens, Loader
// and Evaluation are not changed by use and may be shared. Files of users that are
// not as they should be give errors, misuse by codexml's own code panics.
//
// Letters: T slots of a row that hold tokens, S slots of a document.
package data

import (
	"errors"
	"runtime"
)

// Document is a text with a name for messages: the file's path, for JSON lines
// path:line, for a piece of a text file path#number.
type Document struct {
	Name string
	Text []byte
}

// ErrEmpty is wrapped when there is nothing to train on or to evaluate.
var ErrEmpty = errors.New("no data")

// threads is the number of workers to use when n were asked for; 0 means as many
// as the process may use.
func threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// textBytes is the number of bytes of the documents' texts.
func textBytes(docs []Document) int64 {
	n := int64(0)
	for _, d := range docs {
		n += int64(len(d.Text))
	}
	return n
}
