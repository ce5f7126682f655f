package cmdenv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/internal/kernel"
)

func testEnv(t *testing.T, vars map[string]string) (env *Env, out, errs *bytes.Buffer) {
	out, errs = new(bytes.Buffer), new(bytes.Buffer)
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	return New(strings.NewReader(""), out, errs, lookup, t.TempDir()), out, errs
}

func TestExitCode(t *testing.T) {
	plain := errors.New("x")
	for _, c := range []struct {
		err  error
		code int
		kind string
	}{
		{nil, 0, "failure"}, {plain, 1, "failure"}, {Usagef("x"), 2, "usage"}, {BadInput(plain), 2, "bad_input"},
		{fmt.Errorf("more: %w", BadInput(plain)), 2, "bad_input"}, {WithHint(BadInput(plain), "do"), 2, "bad_input"},
		{BadInput(WithHint(plain, "do")), 2, "bad_input"}, {&ExitError{4, plain}, 4, "failure"},
	} {
		if got := ExitCode(c.err); got != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.code)
		}
		if got := Kind(c.err); got != c.kind {
			t.Errorf("%v: kind %s, want %s", c.err, got, c.kind)
		}
	}
	if BadInput(nil) != nil || WithHint(nil, "do") != nil {
		t.Error("no error became one")
	}
	if !errors.Is(WithHint(BadInput(fs.ErrNotExist), "do"), fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}

func TestArgs(t *testing.T) {
	accept := func(want bool, names []string, args ...string) {
		t.Helper()
		err := Args(names...)(&cobra.Command{Use: "x"}, args)
		if (err == nil) != want {
			t.Errorf("%v with %v: %v", names, args, err)
		}
		if err != nil && ExitCode(err) != ExitBadInput {
			t.Errorf("%v with %v: exit code %d", names, args, ExitCode(err))
		}
	}
	accept(true, nil)
	accept(false, nil, "a")
	accept(false, []string{"RUN"})
	accept(true, []string{"RUN"}, "a")
	accept(false, []string{"RUN"}, "a", "b")
	accept(true, []string{"RUN", "k=v..."}, "a")
	accept(true, []string{"RUN", "k=v..."}, "a", "b", "c")
	accept(true, []string{"RUN", "[OTHER]"}, "a")
	accept(true, []string{"RUN", "[OTHER]"}, "a", "b")
	accept(false, []string{"RUN", "[OTHER]"}, "a", "b", "c")
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := NewTable("name", "steps", "note")
	table.Row("a", 5, "x")
	table.Row("longer", 1000, "")
	if _, err := table.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	want := "name    steps  note\na           5  x\nlonger   1000\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536 << 20: "1.5 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	env, out, _ := testEnv(t, nil)
	people := func(w io.Writer) { io.WriteString(w, "hello\n") }
	if err := env.Report(map[string]string{"a": "<b>"}, people); err != nil {
		t.Fatal(err)
	}
	env.JSON = true
	if err := env.Report(map[string]string{"a": "<b>"}, people); err != nil {
		t.Fatal(err)
	}
	if want := "hello\n{\"a\":\"<b>\"}\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestPath(t *testing.T) {
	env, _, _ := testEnv(t, nil)
	abs := filepath.Join(env.Dir, "x")
	for in, want := range map[string]string{"": "", "x": abs, abs: abs, "../x": filepath.Join(filepath.Dir(env.Dir), "x")} {
		if got := env.Path(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestProgressPlain(t *testing.T) {
	env, _, errs := testEnv(t, nil)
	p := env.Progress("train", 10)
	now := time.Unix(0, 0)
	p.now = func() time.Time { return now }
	p.due = now.Add(plainEvery)
	for step := range 10 {
		p.Set(step+1, "loss 1")
		now = now.Add(time.Second)
	}
	p.Note("saved")
	p.Done()
	p.Done()
	if want := "train 6/10  loss 1\nsaved\ntrain 10/10  loss 1\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
}

func TestProgressSilent(t *testing.T) {
	for _, silence := range []func(*Env){func(e *Env) { e.JSON = true }, func(e *Env) { e.Quiet = true }} {
		env, _, errs := testEnv(t, nil)
		silence(env)
		env.ErrTerminal = true
		p := env.Progress("train", 10)
		p.Set(1, "x")
		p.Note("y")
		p.Done()
		if errs.Len() > 0 || p.Due() {
			t.Errorf("it said %q", errs.String())
		}
	}
}

func TestProgressBar(t *testing.T) {
	for _, total := range []int{0, 3} {
		env, _, errs := testEnv(t, nil)
		env.ErrTerminal = true
		p := env.Progress("train", total)
		for step := range 3 {
			p.Set(step+1, fmt.Sprintf("loss %d", step))
		}
		p.Note("a line")
		p.Done()
		p.Done()
		if got := errs.String(); !strings.Contains(got, "loss 2") || !strings.Contains(got, "a line\n") {
			t.Errorf("total %d: the screen lacks the text or the note: %q", total, got)
		}
	}
}

func TestTierAndPool(t *testing.T) {
	before := kernel.Active()
	env, _, _ := testEnv(t, map[string]string{"CODEXML_CPU": "generic"})
	env.Threads = 2
	pool, err := env.Pool()
	if err != nil || pool.Threads() != 2 || kernel.Active().String() != "generic" {
		t.Fatalf("%v, tier %v", err, kernel.Active())
	}
	if again, _ := env.Pool(); again != pool {
		t.Error("a second pool was started")
	}
	env.Close()
	if kernel.Active() != before {
		t.Errorf("the tier stays %v, want %v", kernel.Active(), before)
	}
	env, _, _ = testEnv(t, map[string]string{"CODEXML_CPU": "abacus"})
	if _, err := env.Pool(); ExitCode(err) != ExitBadInput {
		t.Errorf("an unknown tier: %v", err)
	}
}
