package quickstart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/train"
	"github.com/aries-serpent/codexml/train/proof"
)

// proofSteps is the number of first steps that are trained again.
const proofSteps = 6

// prove trains the first steps again with another number of threads, in other
// batches, and in a process that is killed and resumed, and compares the state with
// the one that the run had after as many steps.
func prove(ctx context.Context, env *cmdenv.Env, job *runs.Job, want train.Hashes, show func(proof.Row)) ([]proof.Row, bool, error) {
	run := job.Folder.Run
	base := proof.Variant{Dtype: run.Training.Dtype, Threads: env.Threads, BatchSize: run.Training.BatchSize, GradAccum: run.Training.GradAccum, Recompute: run.Training.Recompute, Tier: kernel.Active()}
	rows := []proof.Row{{Variant: fmt.Sprintf("the run itself, %d threads, batch %dx%d", base.Threads, base.BatchSize, base.GradAccum), Dtype: base.Dtype, Hashes: want, Equal: true}}
	show(rows[0])
	dir, err := os.MkdirTemp("", "codexml-proof-")
	if err != nil {
		return rows, false, err
	}
	defer os.RemoveAll(dir)
	equal := true
	add := func(row proof.Row) {
		row.Equal = row.Hashes == want
		equal = equal && row.Equal
		rows = append(rows, row)
		show(row)
	}
	threads, batch := base, base
	threads.Threads = base.Threads%3 + 1
	threads.Name = fmt.Sprintf("threads=%d", threads.Threads)
	batch.BatchSize, batch.GradAccum = 1, run.Training.GlobalBatch()
	batch.Name = fmt.Sprintf("batch=%dx%d", batch.BatchSize, batch.GradAccum)
	build := runs.Builder(env, run, job.Inputs)
	if _, _, err := proof.Run(build, []proof.Variant{threads, batch}, proofSteps, dir, add); err != nil {
		return rows, false, err
	}
	row, err := runs.KillAndResume(ctx, env, job.Folder, job.Inputs, filepath.Join(dir, "killed"), proofSteps, 1)
	if err != nil {
		return rows, false, err
	}
	add(row)
	return rows, equal, nil
}
