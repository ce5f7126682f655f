package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic/faultfs"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// at is the tests' clock.
func at() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)) }

// newStore returns a store in a fresh folder, or in root, without the real disk's syncs.
func newStore(tb testing.TB, root string, options Options) *Store {
	tb.Helper()
	if root == "" {
		root = faultfs.TempDir(tb)
	}
	sys, err := faultfs.New(root)
	if err != nil {
		tb.Fatal(err)
	}
	options.Now, options.Threads = at, 2
	if options.System == nil {
		options.System = sys
	}
	s, err := New(root, options)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// newState is a small state whose values depend on the step.
func newState(step int) State {
	values := func(n int, salt uint32) []float32 {
		v := make([]float32, n)
		testkit.Hash(v, salt+uint32(step)*100, 1)
		return v
	}
	return State{
		Step: step, Epoch: step / 10,
		Weights:   []Tensor{{"head.weight", []int{3, 5}, values(15, 1)}, {"embed.weight", []int{4, 2}, values(8, 2)}, {"scale", nil, values(1, 3)}},
		Optimizer: []Tensor{{"head.weight.exp_avg", []int{3, 5}, values(15, 4)}, {"embed.weight.exp_avg", []int{4, 2}, values(8, 5)}},
		Meta:      Meta{RunID: "run-7", TokensSeen: int64(step) * 512, Metrics: map[string]float64{"val_loss": 1 / float64(step+1)}},
	}
}

func save(tb testing.TB, s *Store, states ...State) {
	tb.Helper()
	for _, state := range states {
		if _, err := s.Save(state); err != nil {
			tb.Fatal(err)
		}
	}
}

// wantSame compares what a checkpoint keeps of two states; want may be in any order.
func wantSame(tb testing.TB, got, want State) {
	tb.Helper()
	if got.Step != want.Step || got.Epoch != want.Epoch || got.Meta.RunID != want.Meta.RunID || got.Meta.TokensSeen != want.Meta.TokensSeen {
		tb.Errorf("got step %d, epoch %d, run %q, %d tokens; want %d, %d, %q, %d", got.Step, got.Epoch, got.Meta.RunID, got.Meta.TokensSeen, want.Step, want.Epoch, want.Meta.RunID, want.Meta.TokensSeen)
	}
	for i, pair := range [][2][]Tensor{{got.Weights, want.Weights}, {got.Optimizer, want.Optimizer}} {
		wanted := sorted("test", pair[1])
		if err := compare("tensors", wanted, pair[0]); err != nil {
			tb.Fatalf("part %d: %v", i, err)
		}
		for j, t := range pair[0] {
			testkit.SameBits(tb, t.Name, t.F32, wanted[j].F32)
		}
	}
}

// specials are all kinds of float32.
func specials() State {
	state := newState(3)
	odd := append(testkit.Specials(), math.Float32frombits(0x7fc00001), math.Float32frombits(0xff800001), float32(math.Copysign(0, -1)))
	large := make([]float32, convertSize/4*2+3) // more than is converted at a time
	testkit.Hash(large, 9, 1)
	state.Weights = []Tensor{{"odd", []int{len(odd)}, odd}, {"none", []int{0, 7}, nil}, {"a \u00e9\"\\\n", []int{1, 1}, []float32{1}}, {"large", []int{len(large), 1}, large}}
	return state
}

func TestSaveAndLoad(t *testing.T) {
	for _, state := range []State{newState(0), newState(12), specials(), {Step: 1}} {
		s := newStore(t, "", Options{})
		save(t, s, state)
		for _, which := range []string{"last", fmt.Sprint(state.Step), nameOf(state.Step), filepath.Join(s.Root(), nameOf(state.Step))} {
			got, err := s.Load(which)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, state)
		}
	}
}

// TestConversion: where the machine is not little-endian, the files are the same.
func TestConversion(t *testing.T) {
	if !littleEndian {
		t.Skip("this machine converts always")
	}
	state := specials()
	direct := newStore(t, "", Options{})
	save(t, direct, state)
	littleEndian = false
	defer func() { littleEndian = true }()
	converted := newStore(t, "", Options{})
	save(t, converted, state)
	for _, file := range []string{ModelFile, OptimizerFile, MetaFile} {
		a, b := read(t, direct, "step-3", file), read(t, converted, "step-3", file)
		if a != b {
			t.Errorf("%s differs", file)
		}
	}
	got, err := direct.Load("last")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, state)
}

func read(tb testing.TB, s *Store, parts ...string) string {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(s.Root(), filepath.Join(parts...)))
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func TestReadInto(t *testing.T) {
	s := newStore(t, "", Options{})
	state := newState(5)
	save(t, s, state)
	c, err := s.Open("last")
	if err != nil {
		t.Fatal(err)
	}
	empty := func(tensors []Tensor) (out []Tensor) {
		for _, tensor := range tensors {
			out = append(out, Tensor{tensor.Name, tensor.Shape, make([]float32, len(tensor.F32))})
		}
		slices.Reverse(out)
		return out
	}
	got := State{Step: 5, Meta: c.Meta, Weights: empty(state.Weights), Optimizer: empty(state.Optimizer)}
	if err := c.ReadInto(got.Weights, got.Optimizer); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got.Weights)
	slices.Reverse(got.Optimizer)
	for i := range got.Weights {
		testkit.SameBits(t, got.Weights[i].Name, got.Weights[i].F32, state.Weights[i].F32)
	}
	for i := range got.Optimizer {
		testkit.SameBits(t, got.Optimizer[i].Name, got.Optimizer[i].F32, state.Optimizer[i].F32)
	}
	weights := empty(state.Weights)
	if err := c.ReadWeightsInto(weights); err != nil || weights[0].F32[0] != state.Weights[2].F32[0] {
		t.Errorf("weights alone: %v", err)
	}
	only, err := c.ReadWeights()
	if err != nil || len(only) != 3 {
		t.Errorf("weights alone: %d, %v", len(only), err)
	}
}

func TestMismatch(t *testing.T) {
	s := newStore(t, "", Options{})
	save(t, s, newState(5))
	c, err := s.Open("5")
	if err != nil {
		t.Fatal(err)
	}
	weights := []Tensor{{"embed.weight", []int{2, 4}, make([]float32, 8)}, {"bias", nil, make([]float32, 1)}, {"scale", nil, make([]float32, 1)}}
	err = c.ReadInto(weights, nil)
	var e *MismatchError
	if !errors.As(err, &e) || errors.Is(err, ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
	if fmt.Sprint(e.Missing, e.Unexpected, e.Mismatched) != "[bias] [head.weight] [{embed.weight [2 4] [4 2]}]" {
		t.Errorf("got %+v", e)
	}
	for _, want := range []string{"missing bias", "unexpected head.weight", "embed.weight is [4 2], want [2 4]", "optimizer tensors", "embed.weight.exp_avg"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if weights[2].F32[0] != 0 {
		t.Error("a tensor was written")
	}
}

func TestMetaSurvives(t *testing.T) {
	value := 0.25
	want := Meta{
		RunID: "r", TokensSeen: 1 << 40, GitCommit: "abc", Notes: "a \"note\"\n\u2028", ConfigVersion: "2", ConfigSnapshot: json.RawMessage(`{"b": [1.50, null], "a": "x"}`),
		DatasetVersion: "d1", DataSHA256: strings.Repeat("0a", 32), TokenizerSHA256: strings.Repeat("1b", 32), Metrics: map[string]float64{"val_loss": value, "tiny": 1e-300, "neg": -2},
		Environment: json.RawMessage(`{"go":"1.26"}`), Extra: json.RawMessage(`{}`),
	}
	s := newStore(t, "", Options{BestMetric: "val_loss", BestMode: Max})
	save(t, s, State{Step: 8, Epoch: 2, Meta: want})
	c, err := s.Open("last")
	if err != nil {
		t.Fatal(err)
	}
	got := c.Meta
	if hash, _ := CanonicalSHA256(want.ConfigSnapshot); got.ConfigHash != hash || len(hash) != 64 {
		t.Errorf("config_hash is %s, want %s", got.ConfigHash, hash)
	}
	want.SchemaVersion, want.Digest, want.Step, want.Epoch, want.Sequence, want.CreatedAt = SchemaVersion, got.Digest, 8, 2, 1, "2026-01-02T02:04:05Z"
	want.MetricKey, want.MetricMode, want.MetricValue, want.ConfigHash, want.Files = "val_loss", "max", &value, got.ConfigHash, got.Files
	want.ConfigSnapshot = json.RawMessage(`{"a":"x","b":[1.5,null]}`)
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
	if string(c.MetaJSON()) != read(t, s, "step-8", MetaFile) {
		t.Error("MetaJSON is not the file")
	}
}

// TestGolden pins the files byte for byte; testdata/verify.py reads them with the
// original safetensors package and recomputes every digest.
func TestGolden(t *testing.T) {
	s := newStore(t, "", Options{BestMetric: "val_loss", BestK: 1})
	state := newState(12)
	state.Meta.ConfigSnapshot = json.RawMessage(`{"seed": 42, "lr": 3e-4, "name": "\u00e9"}`)
	save(t, s, newState(2), state)
	var tree strings.Builder
	for _, file := range []string{"last", "best.json", "step-12/meta.json", "step-12/model.safetensors", "step-12/optimizer.safetensors"} {
		text := read(t, s, file)
		if strings.HasSuffix(file, ".safetensors") {
			text = fmt.Sprintf("%x\n", text)
		}
		fmt.Fprintf(&tree, "-- %s --\n%s", file, text)
	}
	testkit.Golden(t, "testdata/store.golden", tree.String())
}

// TestSHA256 is the digest of the file.
func TestSHA256(t *testing.T) {
	s := newStore(t, "", Options{})
	state := newState(4)
	save(t, s, state)
	c, err := s.Open("4")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := SHA256(state.Weights), c.Meta.Files[0].SHA256; got != want {
		t.Errorf("got %s, meta.json says %s", got, want)
	}
	if SHA256(state.Weights) == SHA256(newState(5).Weights) {
		t.Error("other weights, same digest")
	}
}

func TestSaveRejects(t *testing.T) {
	f := func(what, want string, change func(*State)) {
		t.Helper()
		s := newStore(t, "", Options{})
		state := newState(1)
		change(&state)
		_, err := s.Save(state)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
		if entries, _ := os.ReadDir(s.Root()); len(entries) > 0 {
			t.Errorf("%s: left %v", what, entries)
		}
	}
	f("NaN", "val_loss: NaN", func(s *State) { s.Meta.Metrics["val_loss"] = math.NaN() })
	f("infinity", "+Inf", func(s *State) { s.Meta.Metrics["x"] = math.Inf(1) })
	f("a list", "environment: want a JSON object", func(s *State) { s.Meta.Environment = json.RawMessage("[1]") })
	f("no JSON", "extra", func(s *State) { s.Meta.Extra = json.RawMessage(`{"a":}`) })
	f("a name twice", "comes twice", func(s *State) { s.Meta.ConfigSnapshot = json.RawMessage(`{"a":1,"a":2}`) })
	f("another hash", "config_hash", func(s *State) {
		s.Meta.ConfigSnapshot, s.Meta.ConfigHash = json.RawMessage(`{}`), strings.Repeat("0", 64)
	})
	f("no UTF-8", "notes", func(s *State) { s.Meta.Notes = "\xff" })
	f("too many metrics", "1000 metrics", func(s *State) {
		for i := range maxMetrics {
			s.Meta.Metrics[fmt.Sprint(i)] = 1
		}
	})
	f("a tensor's name", "__metadata__", func(s *State) { s.Weights[0].Name = "__metadata__" })
	f("too many dimensions", "dimensions", func(s *State) { s.Weights[2].Shape = slices.Repeat([]int{1}, safetensors.MaxRank+1) })
}

func TestMisusePanics(t *testing.T) {
	f := func(what string, change func(*State)) {
		t.Helper()
		s := newStore(t, "", Options{})
		defer func() {
			if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "checkpoint: Save: ") {
				t.Errorf("%s: panic %v", what, r)
			}
			if entries, _ := os.ReadDir(s.Root()); len(entries) > 0 {
				t.Errorf("%s: left %v", what, entries)
			}
		}()
		state := newState(1)
		change(&state)
		_, _ = s.Save(state)
	}
	f("a tensor twice", func(s *State) { s.Weights[1] = s.Weights[0] })
	f("another shape", func(s *State) { s.Optimizer[0].Shape = []int{5, 4} })
	f("a negative step", func(s *State) { s.Step = -1 })
}

func TestOptionsAreChecked(t *testing.T) {
	f := func(o Options, ok bool) {
		t.Helper()
		if _, err := New("x", o); (err == nil) != ok {
			t.Errorf("%+v: %v", o, err)
		}
	}
	f(Options{}, true)
	f(Options{KeepLast: 3, BestK: 2, BestMetric: "x", BestMode: Max}, true)
	f(Options{KeepLast: -1}, false)
	f(Options{BestK: -1, BestMetric: "x"}, false)
	f(Options{BestK: 1}, false)
	f(Options{BestMode: "low"}, false)
}
