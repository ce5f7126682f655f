package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/model"
)

// What the memory is estimated for: a document's tokens and the adapters' rank.
const (
	shownPositions = 2048
	shownRank      = 8
)

// Shown is the result of model show.
type Shown struct {
	Name         string          `json:"name"`
	Path         string          `json:"path"`
	From         string          `json:"from"`
	Revision     string          `json:"revision,omitempty"`
	Architecture string          `json:"architecture"`
	Parameters   int             `json:"parameters"`
	Layers       int             `json:"layers"`
	Width        int             `json:"width"`
	Heads        int             `json:"heads"`
	KVHeads      int             `json:"kv_heads"`
	Context      int             `json:"context"`
	VocabSize    int             `json:"vocab_size"`
	Types        map[string]int  `json:"types"` // bytes of the tensors of each type
	Licence      string          `json:"licence,omitempty"`
	Memory       model.Footprint `json:"memory"`
	Machine      int64           `json:"machine_memory"`
	Files        []File          `json:"files"`
}

// File is a file of a model.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func newShow(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	return command(opts, "show MODEL", "Show what a model is and what it takes",
		"Show a model's architecture, parameters, licence, files with their SHA-256, and the memory that it takes\n"+
			"here: for inference, full fine-tuning, LoRA and LoRA on 4-bit weights.",
		"  codexml model show SmolLM2-135M\n  codexml model show HuggingFaceTB/SmolLM2-135M --revision main --json\n  codexml model show model.gguf", runF, show)
}

func show(ctx context.Context, opts *Options) (err error) {
	found, p, err := opts.open()
	if err != nil {
		return err
	}
	defer closing(p, &err)
	cfg := p.Config
	r := Shown{
		Name: opts.Name, Path: found.Path, From: found.From, Revision: found.Revision, Architecture: cfg.Name, Parameters: p.NumParams(), Layers: cfg.NLayers, Width: cfg.DModel,
		Heads: cfg.NHeads, KVHeads: cfg.KVHeads(), Context: cfg.MaxSeqLen, VocabSize: cfg.VocabSize, Types: map[string]int{}, Licence: licence(p),
		Memory: p.Footprint(shownPositions, shownRank), Machine: machineMemory(ctx),
	}
	for _, name := range p.Source.Names() {
		t, _ := p.Source.Find(name)
		r.Types[t.Type] += int(t.Bytes)
	}
	if r.Files, err = hashes(ctx, p); err != nil {
		return err
	}
	return opts.Env.Report(r, func(w io.Writer) { describe(w, r) })
}

func describe(w io.Writer, r Shown) {
	t := cmdenv.NewTable()
	t.Row("model", r.Path)
	t.Row("found by", r.From)
	if r.Revision != "" {
		t.Row("revision", r.Revision)
	}
	t.Row("architecture", r.Architecture)
	t.Row("parameters", fmt.Sprintf("%d (%.1fM)", r.Parameters, float64(r.Parameters)/1e6))
	t.Row("shape", fmt.Sprintf("%d layers, width %d, %d heads (%d of keys and values), %d tokens", r.Layers, r.Width, r.Heads, r.KVHeads, r.VocabSize))
	t.Row("context", fmt.Sprintf("%d tokens", r.Context))
	var types []string
	for _, name := range slices.Sorted(maps.Keys(r.Types)) {
		types = append(types, name+" "+cmdenv.Bytes(r.Types[name]))
	}
	t.Row("weights", strings.Join(types, ", "))
	if r.Licence == "" {
		r.Licence = "not stated in the files"
	}
	t.Row("licence", r.Licence)
	t.WriteTo(w)
	fmt.Fprintln(w)
	t = cmdenv.NewTable(fmt.Sprintf("memory for a text of %d tokens", r.Memory.Positions), "", fmt.Sprintf("this machine has %s", cmdenv.Bytes(r.Machine)))
	for _, x := range []struct {
		use   string
		bytes int
	}{
		{"inference", r.Memory.Inference}, {"full fine-tuning (AdamW)", r.Memory.Full}, {fmt.Sprintf("LoRA, rank %d", shownRank), r.Memory.LoRA},
		{fmt.Sprintf("LoRA on 4-bit weights, rank %d", shownRank), r.Memory.QLoRA},
	} {
		fits := "fits"
		if int64(x.bytes) > r.Machine {
			fits = "does not fit"
		}
		t.Row(x.use, cmdenv.Bytes(x.bytes), fits)
	}
	t.WriteTo(w)
	fmt.Fprintln(w)
	t = cmdenv.NewTable("file", "size", "sha256")
	for _, f := range r.Files {
		t.Row(f.Name, cmdenv.Bytes(f.Bytes), f.SHA256)
	}
	t.WriteTo(w)
}

// machineMemory is what this process may use; 0 if the machine does not say.
func machineMemory(ctx context.Context) int64 {
	limit := cmdenv.HostLimits().Memory
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err == nil && (limit == 0 || int64(v.Total) < limit) {
		limit = int64(v.Total)
	}
	return limit
}

// maxCard is how much of a README is read.
const maxCard = 1 << 20

// licence is what the files say: general.license of a GGUF file, or the head of
// README.md, as Hugging Face has it.
func licence(p *model.Pretrained) string {
	if p.GGUF != nil {
		text, _ := p.GGUF.Text("general.license") // missing: not stated
		return text
	}
	f, err := os.Open(filepath.Join(p.Path, "README.md"))
	if err != nil {
		return ""
	}
	defer f.Close()
	card, _ := io.ReadAll(io.LimitReader(f, maxCard)) // what was read will do
	_, rest, ok := strings.Cut(string(card), "---\n")
	head, _, closed := strings.Cut(rest, "\n---")
	if !ok || !closed {
		return ""
	}
	for line := range strings.Lines(head) {
		if value, ok := strings.CutPrefix(line, "license:"); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

// hashes reads all files of a model.
func hashes(ctx context.Context, p *model.Pretrained) ([]File, error) {
	paths, err := files(p)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, path := range paths {
		sum, n, err := hash(ctx, path)
		if err != nil {
			return nil, err
		}
		out = append(out, File{filepath.Base(path), n, sum})
	}
	return out, nil
}

func hash(ctx context.Context, path string) (sum string, n int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err = io.Copy(h, cancelled{ctx, f})
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// cancelled ends reading when the command is interrupted.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
