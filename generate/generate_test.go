package generate_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/model/modeltest"
	"github.com/aries-serpent/codexml/nn"
	_ "github.com/aries-serpent/codexml/std"
	"github.com/aries-serpent/codexml/tensor"
)

func tiny(t *testing.T, name string) (model.Model, *nn.Context) {
	t.Helper()
	m, err := model.New(modeltest.Configs()[name], 7)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(2)
	t.Cleanup(pool.Close)
	return m, nn.NewContext(pool, tensor.F32, 1<<20, 1<<20)
}

func requests(o generate.Options) []generate.Request {
	var all []generate.Request
	for i, n := range []int{3, 140, 1, 17} {
		r := generate.Request{Prompt: modeltest.Batch(1, n, 37).Tokens, Options: o}
		r.MaxNewTokens = 5 + 4*i
		all = append(all, r)
	}
	return all
}

// samplings are ways to draw, together of every kind.
func samplings() map[string]generate.Sampling {
	return map[string]generate.Sampling{
		"greedy": {TopP: 1}, "plain": {Temperature: 1, TopP: 1, Seed: 3}, "cut": {Temperature: 0.8, TopK: 9, TopP: 0.9, MinP: 0.05, Seed: 4},
		"penalties": {Temperature: 1.2, TopP: 1, RepetitionPenalty: 1.3, PresencePenalty: 0.5, FrequencyPenalty: 0.2, Bias: []generate.Bias{{ID: 4, Value: 2}}, Banned: []int32{5, 6}},
	}
}

func TestATextIsTheSameAloneAndInABatch(t *testing.T) {
	for _, name := range []string{"llama", "gemma3", "gpt2"} {
		m, c := tiny(t, name)
		for how, s := range samplings() {
			all := requests(generate.Options{Sampling: s, LogProbs: 3})
			together, err := generate.Batch(context.Background(), m, c, all)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range all {
				alone, err := generate.Batch(context.Background(), m, c, all[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				testkit.SameBits(t, name+" "+how, alone[0].IDs, together[i].IDs)
				if len(together[i].IDs) != r.MaxNewTokens || together[i].Reason != generate.MaxTokens {
					t.Errorf("%s %s: %d tokens (%s), want %d", name, how, len(together[i].IDs), together[i].Reason, r.MaxNewTokens)
				}
				for j, x := range together[i].Tokens {
					if x.LogProb != alone[0].Tokens[j].LogProb || !slices.Equal(x.Top, alone[0].Tokens[j].Top) {
						t.Errorf("%s %s: log-probabilities of token %d differ", name, how, j)
					}
				}
			}
		}
	}
}

func TestBannedTokensAndStops(t *testing.T) {
	m, c := tiny(t, "llama")
	prompt := modeltest.Batch(1, 8, 37).Tokens
	run := func(o generate.Options, emit func(generate.Token) error) generate.Result {
		t.Helper()
		o.Sampling.TopP, o.MaxNewTokens, o.LogProbs = 1, 12, -1
		r, err := generate.Batch(context.Background(), m, c, []generate.Request{{Prompt: prompt, Options: o, Emit: emit}})
		if err != nil {
			t.Fatal(err)
		}
		return r[0]
	}
	free := run(generate.Options{}, nil)
	banned := run(generate.Options{Sampling: generate.Sampling{Banned: free.IDs[:1]}}, nil)
	if slices.Contains(banned.IDs, free.IDs[0]) {
		t.Errorf("token %d was banned, got %v", free.IDs[0], banned.IDs)
	}
	stop := free.IDs[5]
	if r := run(generate.Options{Stop: []int32{stop}}, nil); r.Reason != generate.StopToken || slices.Contains(r.IDs, stop) || !slices.Equal(r.IDs, free.IDs[:slices.Index(free.IDs, stop)]) {
		t.Errorf("stop at %d of %v: got %v (%s)", stop, free.IDs, r.IDs, r.Reason)
	}
	n := 0
	if r := run(generate.Options{}, func(generate.Token) error {
		if n++; n == 3 {
			return generate.ErrStop
		}
		return nil
	}); len(r.IDs) != 3 || r.Reason != generate.StopToken {
		t.Errorf("ErrStop at the third token: got %v (%s)", r.IDs, r.Reason)
	}
}

func TestPenaltiesMeanWhatTransformersMeans(t *testing.T) {
	m, c := tiny(t, "llama")
	prompt := []int32{3, 3, 8, 20}
	free, err := generate.Next(m, c, prompt, 37)
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, 37)
	m.Decode(c, m.NewState(tensor.F32, 4), prompt, logits)
	for _, penalty := range []float64{1.7, 0.6} {
		want, best := append([]float32(nil), logits...), 0
		for _, id := range []int32{3, 8, 20} { // each once, however often it is there
			if want[id] > 0 {
				want[id] /= float32(penalty)
			} else {
				want[id] *= float32(penalty)
			}
		}
		for i, x := range want {
			if x > want[best] {
				best = i
			}
		}
		o := generate.Options{Sampling: generate.Sampling{TopP: 1, RepetitionPenalty: penalty}, MaxNewTokens: 1}
		ids, _, err := generate.Generate(context.Background(), m, c, prompt, o, nil)
		if err != nil || ids[0] != int32(best) {
			t.Errorf("penalty %v: got %v (%v), want %d", penalty, ids, err, best)
		}
	}
	total := 0.0
	for _, x := range free {
		total += math.Exp(float64(x.LogProb))
	}
	if math.Abs(total-1) > 1e-5 {
		t.Errorf("probabilities of all tokens sum to %v", total)
	}
}

func TestScores(t *testing.T) {
	m, c := tiny(t, "mistral")
	ids := modeltest.Batch(1, 60, 37).Tokens
	probs, err := generate.LogProbs(m, c, ids)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, p := range probs {
		next, err := generate.Next(m, c, ids[:i+1], 37)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(next, func(x generate.Candidate) bool { return x.ID == ids[i+1] })
		if math.Abs(float64(next[at].LogProb-p)) > 1e-5 {
			t.Errorf("token %d: %v in one pass, %v alone", i+1, p, next[at].LogProb)
		}
		sum += float64(p)
	}
	whole, err := generate.Rolling(context.Background(), m, c, ids, 60, 30, nil)
	if err != nil || whole.Tokens != 59 || whole.LogProb != sum {
		t.Errorf("whole text: %+v (%v), want 59 tokens with %v", whole, err, sum)
	}
	if l, err := generate.Rolling(context.Background(), m, c, ids, 20, 7, nil); err != nil || l.Tokens != 59 || math.Abs(l.LogProb-sum) > 0.2*math.Abs(sum) {
		t.Errorf("in windows: %+v (%v), want 59 tokens with about %v", l, err, sum)
	}
}

func TestBatchRejects(t *testing.T) {
	m, c := tiny(t, "llama")
	f := func(r generate.Request, want string) {
		t.Helper()
		if _, err := generate.Batch(context.Background(), m, c, []generate.Request{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	ok := generate.Sampling{TopP: 1}
	f(generate.Request{Options: generate.Options{Sampling: ok}}, "no tokens")
	f(generate.Request{Prompt: []int32{37}, Options: generate.Options{Sampling: ok}}, "id 37")
	f(generate.Request{Prompt: make([]int32, 321), Options: generate.Options{Sampling: ok}}, "321 tokens do not fit 320 positions")
	f(generate.Request{Prompt: []int32{1}}, "top-p")
	_, err := generate.Batch(context.Background(), m, c, []generate.Request{{Prompt: make([]int32, 321), Options: generate.Options{Sampling: ok}}})
	if !errors.Is(err, generate.ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
	r := generate.Request{Prompt: make([]int32, 318), Options: generate.Options{Sampling: ok, MaxNewTokens: 9}}
	if got, err := generate.Batch(context.Background(), m, c, []generate.Request{r}); err != nil || got[0].Reason != generate.ContextFull || len(got[0].IDs) != 3 {
		t.Errorf("a full context: got %+v, %v", got, err)
	}
}

func TestStopper(t *testing.T) {
	f := func(stops []string, pieces []string, want string, stopped bool) {
		t.Helper()
		s := generate.Stopper{}
		for _, x := range stops {
			s.Stops = append(s.Stops, []byte(x))
		}
		got, done := "", false
		for _, p := range pieces {
			show, stop := s.Add([]byte(p))
			if got += string(show); stop {
				done = true
				break
			}
		}
		got += string(s.Flush())
		if got != want || done != stopped {
			t.Errorf("%q in %q: got %q, %v, want %q, %v", stops, pieces, got, done, want, stopped)
		}
	}
	f(nil, []string{"a", "b"}, "ab", false)
	f([]string{"END"}, []string{"text E", "N", "D more"}, "text ", true)
	f([]string{"END"}, []string{"text E", "N", "X E"}, "text ENX E", false)
	f([]string{"bc", "abcd"}, []string{"xab", "cd"}, "xa", true)
	f([]string{"aab"}, []string{"a", "a", "a", "b", "c"}, "a", true)
}
