package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/train"
	"github.com/aries-serpent/codexml/train/proof"
)

// Builder makes the trainers of variants of a run.
func Builder(env *cmdenv.Env, run *config.Run, in *Inputs) proof.Build {
	return func(v proof.Variant) (*train.Trainer, func(), error) {
		varied := *run
		t := &varied.Training
		t.BatchSize, t.GradAccum, t.Recompute, t.Dtype = v.BatchSize, v.GradAccum, v.Recompute, v.Dtype
		pool := par.New(v.Threads)
		trainer, err := newTrainer(env, pool, &varied, in)
		return trainer, pool.Close, err
	}
}

// KillAndResume trains the first steps of a run in a process of its own, which is
// killed (SIGKILL, or what the system has instead) at a random moment and resumed,
// kills times, and returns the state that it ends in.
func KillAndResume(ctx context.Context, env *cmdenv.Env, f *Folder, in *Inputs, dir string, steps, kills int) (proof.Row, error) {
	row := proof.Row{Variant: fmt.Sprintf("killed %d times and resumed", kills), Dtype: f.Run.Training.Dtype}
	if kills == 1 {
		row.Variant = "killed and resumed"
	}
	exe, err := os.Executable()
	if err != nil {
		return row, fmt.Errorf("find this program, to start it again: %w", err)
	}
	path, err := killConfig(f, in, dir)
	if err != nil {
		return row, err
	}
	run := filepath.Join(dir, "run")
	common := []string{"--json", "--threads", strconv.Itoa(env.Threads), "--stop-after", strconv.Itoa(steps)}
	first := append([]string{"train", "-c", path, "-o", run}, common...)
	again := append([]string{"resume", run}, common...)
	start := func(args []string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, exe, args...)
		cmd.Args[0] = os.Args[0] // a program that is several by its name stays the one that it is
		cmd.Dir = env.Dir
		cmd.Env = append(os.Environ(), cpu.Env+"="+kernel.Active().String())
		return cmd
	}
	args := first
	for range kills {
		if err := killOnce(start(args), run); err != nil {
			return row, err
		}
		args = again
	}
	out, err := start(again).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return row, fmt.Errorf("resume the killed run: %w", err)
	}
	var s Summary
	if err := json.Unmarshal(bytes.TrimSpace(out), &s); err != nil {
		return row, fmt.Errorf("resume the killed run: read its result: %w", err)
	}
	if s.Steps != steps {
		return row, fmt.Errorf("resume the killed run: it ended after step %d, want %d", s.Steps, steps)
	}
	row.Hashes = s.Hashes
	return row, nil
}

// killConfig writes the run's configuration with its token files as data and a
// checkpoint after every step.
func killConfig(f *Folder, in *Inputs, dir string) (string, error) {
	run := *f.Run
	run.Data.SourcePath, run.Data.Format, run.Data.ValPath, run.Data.TestPath = in.TokenFile(), "tokens", "", ""
	run.Tokenizer.Path = ""
	if in.Tokenizer != nil {
		run.Tokenizer.Path = f.Path(TokenizerFile)
	}
	run.Training.SaveEvery, run.Training.EvalEvery, run.Training.KeepLast = 1, 0, 3
	if err := fsatomic.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "run.yaml")
	return path, fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(run.YAML())
		return err
	})
}

// moment is up to 300 ms, by the clock: any moment must do.
func moment() time.Duration {
	at := rng.Uint32(rng.Key{Seed: uint64(time.Now().UnixNano()), Stream: rng.StreamMisc}, 0)
	return time.Duration(at%300) * time.Millisecond
}

// killOnce starts a training and kills it at a random moment after its first
// checkpoint is there; it may be done by then.
func killOnce(cmd *exec.Cmd, run string) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the run to kill: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for wait := time.Duration(0); ; wait = 2 * time.Millisecond {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("the run to kill failed by itself: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
			}
			return nil
		case <-time.After(wait):
		}
		if _, err := os.Stat(filepath.Join(run, Checkpoints, "last")); err == nil {
			break
		}
	}
	select {
	case <-done:
	case <-time.After(moment()):
		_ = cmd.Process.Kill() // it may have ended by itself
		<-done
	}
	return nil
}
