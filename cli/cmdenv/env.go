// Package cmdenv is the factory that every command gets: streams and what kind
// they are, the global flags, the environment, the working folder, the worker
// pool on the chosen CPU tier, and the ways to report, to show progress and to
// fail. Commands reach the outside through it alone, so that a test can hand in
// buffers. An Env belongs to one run of one command; Pool and Tier are safe for
// concurrent use, the rest is not.
package cmdenv

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/term"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
)

// defaultWidth is the number of columns where there is no terminal to ask.
const defaultWidth = 100

// Env is what a command may use of the world.
type Env struct {
	In  io.Reader
	Out io.Writer // data
	Err io.Writer // messages and progress

	InTerminal, OutTerminal, ErrTerminal bool

	// Width is the number of columns for people's output.
	Width int
	// Lookup reads the environment; nothing below the commands does.
	Lookup func(name string) (string, bool)
	// Dir is the working folder, absolute. Path resolves against it.
	Dir string

	// The global flags.

	JSON    bool // --json: one object, last on standard output
	Quiet   bool // --quiet: no progress
	Threads int  // --threads: workers of Pool

	tier  func() (cpu.Tier, error)
	pool  func() (*par.Pool, error)
	close []func() // undoes what the command set up, last first
}

// System is the Env of the running process.
func System() (*Env, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	e := New(os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, dir)
	e.InTerminal = term.IsTerminal(int(os.Stdin.Fd()))
	e.OutTerminal = term.IsTerminal(int(os.Stdout.Fd()))
	e.ErrTerminal = term.IsTerminal(int(os.Stderr.Fd()))
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			e.Width = w
			break
		}
	}
	return e, nil
}

// New is an Env without terminals, for tests and for programs that embed the
// commands. dir must be absolute.
func New(in io.Reader, out, errs io.Writer, lookup func(string) (string, bool), dir string) *Env {
	if !filepath.IsAbs(dir) {
		panic("cmdenv: New: working folder " + dir + " is not absolute")
	}
	e := &Env{In: in, Out: out, Err: errs, Width: defaultWidth, Lookup: lookup, Dir: dir, Threads: DefaultThreads()}
	e.tier = sync.OnceValues(e.useTier)
	e.pool = sync.OnceValues(e.startPool)
	return e
}

// Path resolves a path that the user gave against the working folder.
func (e *Env) Path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.Dir, path)
}

// Tier makes the kernels of the CPU tier that CODEXML_CPU names, else of the
// best one, the ones in use and returns it. Commands that compute call it, or
// Pool, before the first kernel.
func (e *Env) Tier() (cpu.Tier, error) { return e.tier() }

func (e *Env) useTier() (cpu.Tier, error) {
	tier, err := cpu.Select(e.Lookup)
	if err != nil {
		return 0, BadInput(err)
	}
	e.close = append(e.close, kernel.Use(tier))
	return tier, nil
}

// Pool is the pool of Threads workers, started on the first call.
func (e *Env) Pool() (*par.Pool, error) { return e.pool() }

func (e *Env) startPool() (*par.Pool, error) {
	if _, err := e.Tier(); err != nil {
		return nil, err
	}
	// A pool larger than GOMAXPROCS would spin on processors that its own
	// workers need.
	if e.Threads > runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(e.Threads)
	}
	pool := par.New(e.Threads)
	e.close = append(e.close, pool.Close)
	return pool, nil
}

// Close ends what the command left running. Main calls it.
func (e *Env) Close() {
	for len(e.close) > 0 {
		last := len(e.close) - 1
		e.close[last]()
		e.close = e.close[:last]
	}
}
