package runs

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/train"
)

// view shows a run while it trains.
type view struct {
	job      *Job
	progress *cmdenv.Progress
	flops    float64 // per token
	peak     float64 // GFLOP/s of the threads in use

	first time.Time // the run began
	mark  time.Time // the present step began
	speed float64   // tokens a second in steps, not in evaluations and saves, of late
	bits  string    // of the last validation
}

func newView(j *Job, title string) *view {
	v := &view{job: j, flops: model.FLOPs(j.Model.Config(), j.Folder.Run.Training.SeqLen), bits: "-"}
	if !j.env.JSON && !j.env.Quiet {
		v.peak = kernel.PeakGFLOPS(j.Context.Pool, j.Folder.Run.Training.Dtype == "bfloat16")
	}
	v.progress = j.env.Progress(title, j.Total())
	v.first = time.Now()
	v.mark = v.first
	return v
}

func (v *view) hook() train.Hook {
	return train.Hook{Step: v.step, Eval: v.eval, Save: func(string) error {
		v.mark = time.Now()
		return nil
	}}
}

// memory is the time over which the shown speed is a mean.
const memory = 5 * time.Second

// measure takes the time of a step into the speed.
func (v *view) measure(tokens int) {
	now := time.Now()
	took := now.Sub(v.mark)
	v.mark = now
	if took <= 0 {
		return
	}
	weight, speed := min(1, float64(took)/float64(memory)), float64(tokens)/took.Seconds()
	if v.speed == 0 {
		weight = 1
	}
	v.speed += weight * (speed - v.speed)
}

func (v *view) step(r train.StepResult) error {
	v.measure(r.Tokens)
	if r.Step < v.job.Total() && !v.progress.Due() {
		return nil
	}
	seconds := time.Since(v.first).Seconds()
	left := time.Duration(float64(v.job.Total()-r.Step) * seconds / float64(max(1, r.Step-v.job.startStep)) * float64(time.Second))
	share := "-"
	if v.peak > 0 {
		share = fmt.Sprintf("%.0f%%", v.speed*v.flops/v.peak/1e7)
	}
	v.progress.Set(r.Step, fmt.Sprintf("loss %.3f  val %s bits/B  %s tok/s  %s of peak  %s left", r.Loss, v.bits, thousands(v.speed), share, left.Round(time.Second)))
	return nil
}

func (v *view) eval(e train.Evaluation) error {
	v.mark = time.Now()
	if e.Bytes > 0 {
		v.bits = fmt.Sprintf("%.3f", e.BitsPerByte())
	}
	return nil
}

func (v *view) end() { v.progress.Done() }

func thousands(x float64) string {
	if x < 10000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.1fk", x/1000)
}

// PrintPlan writes the memory plan for people.
func PrintPlan(w io.Writer, p train.Plan) {
	parts := []string{}
	for _, x := range []struct {
		name  string
		bytes int
	}{{"weights", p.Weights}, {"gradients", p.Gradients}, {"optimiser", p.Optimizer}, {"activations", p.Activations}, {"temporaries", p.Temporaries}, {"head", p.Head}, {"workers", p.Workers}} {
		parts = append(parts, x.name+" "+cmdenv.Bytes(x.bytes))
	}
	fmt.Fprintf(w, "memory plan: %s (%s)\n", cmdenv.Bytes(p.Total()), strings.Join(parts, ", "))
}

// Summary is the outcome of train and resume as JSON.
type Summary struct {
	OK          bool     `json:"ok"`
	Run         string   `json:"run"`
	Reason      string   `json:"reason"`
	Steps       int      `json:"steps"`
	TotalSteps  int      `json:"total_steps"`
	ResumedFrom int      `json:"resumed_from_step,omitempty"`
	Params      int      `json:"params"`
	Tokens      int      `json:"tokens"`
	Loss        float64  `json:"loss"`
	ValLoss     float64  `json:"val_loss,omitempty"`
	ValBits     float64  `json:"val_bits_per_byte,omitempty"`
	TokensPerS  float64  `json:"tokens_per_s"`
	Seconds     float64  `json:"seconds"`
	Warnings    []string `json:"warnings,omitempty"`
	train.Hashes
}

// Summarise describes a result.
func (j *Job) Summarise(res train.Result) Summary {
	s := Summary{
		OK: true, Run: j.Folder.Dir, Reason: string(res.Reason), Steps: res.Steps, TotalSteps: j.Total(), ResumedFrom: j.startStep, Params: model.NumParams(j.Model),
		Tokens: res.Tokens, Loss: finite(res.Loss), Seconds: res.Seconds, Warnings: j.warnings, Hashes: j.Hashes(),
	}
	if res.Seconds > 0 {
		s.TokensPerS = float64(res.Tokens-j.startTokens) / res.Seconds
	}
	if res.Last != nil {
		s.ValLoss, s.ValBits = finite(res.Last.Mean()), finite(res.Last.BitsPerByte())
	}
	return s
}

// Print writes the outcome for people.
func (s Summary) Print(w io.Writer) {
	fmt.Fprintf(w, "%s after step %d of %d: loss %.4f", s.Reason, s.Steps, s.TotalSteps, s.Loss)
	if s.ValLoss > 0 {
		fmt.Fprintf(w, ", validation loss %.4f (%.3f bits per byte)", s.ValLoss, s.ValBits)
	}
	fmt.Fprintf(w, "\n%d tokens in %.1f s (%s a second), %d parameters\nweights %s\nrun folder %s\n", s.Tokens, s.Seconds, thousands(s.TokensPerS), s.Params, s.Weights, s.Run)
}
