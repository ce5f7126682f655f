package cmdenv

import (
	"errors"
	"fmt"
)

// Exit codes of every command. What the Python system's commands return beyond
// these is an ExitError.
const (
	ExitOK       = 0
	ExitFailed   = 1 // the command could not do its work
	ExitBadInput = 2 // the command line, or a file or value it names, is wrong
)

// UsageError is a command line that the command does not understand. Main adds
// where to find help.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// InputError is a file or a value of the user's that cannot be used.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// BadInput marks err as the fault of what the user gave; nil stays nil.
func BadInput(err error) error {
	if err == nil {
		return nil
	}
	return &InputError{err}
}

// ExitError carries one of the exit codes above 2 that a few commands promise.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }
func (e *ExitError) Unwrap() error { return e.Err }

// HintError adds a way out to an error: Main prints it on a line of its own.
type HintError struct {
	Err  error
	Hint string
}

func (e *HintError) Error() string { return e.Err.Error() }
func (e *HintError) Unwrap() error { return e.Err }

// WithHint adds a way out to err, usually a command to run; nil stays nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &HintError{err, fmt.Sprintf(format, args...)}
}

// ExitCode is the exit code that err stands for.
func ExitCode(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case is[*UsageError](err), is[*InputError](err):
		return ExitBadInput
	}
	return ExitFailed
}

// Kind is the word for err in JSON: usage, bad_input or failure.
func Kind(err error) string {
	switch {
	case is[*UsageError](err):
		return "usage"
	case is[*InputError](err):
		return "bad_input"
	}
	return "failure"
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
