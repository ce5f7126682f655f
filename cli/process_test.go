package cli

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// as is a command that runs this test binary under another name.
func as(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = name
	return cmd
}

const waiter = "codexml-wait"

// waitForSignals says when it waits, when the first signal came, and then waits
// for the second to end it.
func waitForSignals() {
	ctx, stop := untilSignal()
	defer stop()
	fmt.Println("waiting")
	<-ctx.Done()
	fmt.Println("saving")
	time.Sleep(time.Minute)
}

// TestSignals demands that the first signal cancels and the second one kills.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no signals to send")
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := as(t, waiter)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, want := range []string{"waiting", "saving"} {
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("%v: got %q, want %q", signal, lines.Text(), want)
			}
			// The default effect is restored by a goroutine of its own, so the
			// second signal is repeated until it is.
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for {
			select {
			case err = <-ended:
			case <-time.After(10 * time.Millisecond):
				cmd.Process.Signal(signal)
				continue
			}
			break
		}
		if err == nil || err.Error() != "signal: "+signal.String() {
			t.Errorf("%v: it ended with %v", signal, err)
		}
	}
}

// BenchmarkVersionStart is the time that the process takes to start: nothing may
// compute anything before it is asked to. It is to stay under 20 ms.
func BenchmarkVersionStart(b *testing.B) {
	for b.Loop() {
		if err := as(b, "codexml", "version").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
