package cmdenv

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	// plainEvery is the time between two lines where there is no terminal:
	// seldom enough for a log file, often enough to see that something lives.
	plainEvery = 5 * time.Second
	// barEvery is the time between two changes of a bar's text; the bar itself
	// is redrawn every 150 ms.
	barEvery = 100 * time.Millisecond
)

// Progress shows how far a piece of work has come: a bar on a terminal, a line
// now and then elsewhere, nothing with --json or --quiet. Its methods are for
// one goroutine.
type Progress struct {
	w     io.Writer // nil: silent
	name  string
	total int
	now   func() time.Time

	bars *mpb.Progress // nil: plain lines
	bar  *mpb.Bar

	lock sync.Mutex // of text, which the bar's goroutine reads
	text string

	done int
	said bool      // done and text have been printed as a line
	due  time.Time // when the next text is wanted
}

// Progress begins to show a piece of work of total units; 0 means that nobody
// knows how many. End it with Done.
func (e *Env) Progress(name string, total int) *Progress {
	p := &Progress{name: name, total: total, now: time.Now, said: true}
	if e.JSON || e.Quiet {
		return p
	}
	p.w = e.Err
	if e.ErrTerminal {
		p.startBar(min(max(e.Width/4, 10), 30))
	} else {
		p.due = p.now().Add(plainEvery)
	}
	return p
}

func (p *Progress) startBar(width int) {
	p.bars = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(width), mpb.WithAutoRefresh())
	text := mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
		p.lock.Lock()
		defer p.lock.Unlock()
		return " " + p.text
	}))
	if p.total == 0 {
		p.bar = p.bars.AddSpinner(0, mpb.PrependDecorators(decor.Name(p.name+" "), decor.CurrentNoUnit("%d ")), text)
		return
	}
	// A bar with a total ends by itself when it is reached, and lines written
	// above it afterwards are lost; this one ends in Done.
	p.bar = p.bars.AddBar(0, mpb.PrependDecorators(decor.Name(p.name+" "), decor.CountersNoUnit("%d/%d ")), text)
	p.bar.SetTotal(int64(p.total), false)
}

// Due says whether a new text would be shown now. Work with many quick units
// asks before it formats one.
func (p *Progress) Due() bool { return p.w != nil && !p.now().Before(p.due) }

// Set says that done units are finished and what there is to say about it.
func (p *Progress) Set(done int, text string) {
	if p.w == nil {
		return
	}
	p.done, p.said = done, false
	p.lock.Lock()
	p.text = text
	p.lock.Unlock()
	switch {
	case p.bars != nil:
		p.bar.SetCurrent(int64(done))
		if p.Due() {
			p.due = p.now().Add(barEvery)
		}
	case p.Due():
		p.line()
	}
}

// line prints the state as a plain line.
func (p *Progress) line() {
	p.said, p.due = true, p.now().Add(plainEvery)
	of := ""
	if p.total > 0 {
		of = fmt.Sprintf("/%d", p.total)
	}
	if p.text != "" {
		of += "  " + p.text
	}
	fmt.Fprintf(p.w, "%s %d%s\n", p.name, p.done, of)
}

// Note prints a line that stays, above the bar where there is one.
func (p *Progress) Note(format string, args ...any) {
	switch {
	case p.w == nil:
	case p.bars != nil:
		fmt.Fprintf(p.bars, format+"\n", args...)
	default:
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Done ends the progress, finished or not, and leaves its last state on the
// screen. It may be called twice.
func (p *Progress) Done() {
	switch {
	case p.w == nil:
	case p.bars != nil:
		if p.total > 0 && p.done >= p.total {
			p.bar.SetTotal(int64(p.total), true)
		} else {
			p.bar.Abort(false)
		}
		p.bars.Wait()
	case !p.said:
		p.line()
	}
	p.w = nil
}
