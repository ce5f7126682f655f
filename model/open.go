package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/format/pytorch"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/tensor"
)

// Pretrained is a model's files, checked and not yet loaded: their configuration is
// understood, and every tensor of the architecture is there with the shape that it
// must have.
type Pretrained struct {
	Path   string // the folder, or the GGUF file
	Config Config
	// Generation are the ids and the sampling that the model came with.
	Generation Generation
	// Source are the files' tensors, under the names that the files have.
	Source Source
	// GGUF is the file, if it is one.
	GGUF *gguf.File

	weights []Weight
}

// Generation is generation_config.json, or what a GGUF file says of it.
type Generation struct {
	BOS, PAD int32   // -1: none
	EOS      []int32 // each ends a text
	// The sampling, where the file has one: nil is not set.
	Sample                  *bool
	Temperature, TopP, MinP *float64
	TopK                    *int
	RepetitionPenalty       *float64
}

// LoadOptions says how a Pretrained is loaded.
type LoadOptions struct {
	// Train gives the parameters gradients. Otherwise they are frozen.
	Train bool
	// Keep leaves the matrices of a frozen model as the files have them, quantised or
	// in 16 bits. It needs Pool. The numbers are the same.
	Keep bool
	// Pool reads tensors in parallel; nil reads one after the other.
	Pool *par.Pool
}

// Open reads the configuration and the tensors' names and shapes of a model: a
// folder of transformers (config.json beside safetensors or PyTorch files) or a GGUF file.
// Nothing large is allocated. What is missing, superfluous or of another shape than
// the configuration says is an error. The caller closes the result.
func Open(path string) (*Pretrained, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	p := &Pretrained{Path: path, Generation: Generation{BOS: -1, PAD: -1}}
	if info.IsDir() {
		err = p.openFolder()
	} else {
		err = p.openGGUF()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open model %s: %w", path, err), p.Close())
	}
	return p, nil
}

// Close gives the files back.
func (p *Pretrained) Close() error {
	if p.Source == nil {
		return nil
	}
	return p.Source.Close()
}

// openFolder reads a folder of transformers.
func (p *Pretrained) openFolder() error {
	fields, err := readFields(p.Path, "config.json")
	if errors.Is(err, fs.ErrNotExist) {
		if files, _ := filepath.Glob(filepath.Join(p.Path, "*.gguf")); len(files) > 0 {
			return fmt.Errorf("the folder has no config.json: name one of its GGUF files, %s", filepath.Base(files[0]))
		}
		return errors.New("the folder has no config.json: name a folder that transformers opens, or a .gguf file")
	}
	if err != nil {
		return err
	}
	hf, err := findHuggingFace(fields.Text("model_type", ""))
	if err != nil {
		return err
	}
	common(fields)
	p.Config = hf.Config(fields)
	p.Generation.BOS, p.Generation.EOS, p.Generation.PAD = one(fields.IDs("bos_token_id")), fields.IDs("eos_token_id"), one(fields.IDs("pad_token_id"))
	if err := fields.Finish(); err != nil {
		return err
	}
	if err := p.readGeneration(); err != nil {
		return err
	}
	s, err := openTensors(p.Path)
	if err != nil {
		return err
	}
	p.Source = s
	if hf.Prefix != "" {
		s.prefix(hf.Prefix, func(name string) bool { return strings.HasPrefix(name, "lm_head.") })
	}
	return p.check(hf.Weights, func(name string) bool {
		return strings.HasSuffix(name, "rotary_emb.inv_freq") || p.Config.TieEmbeddings && name == "lm_head.weight" || hf.Ignore != nil && hf.Ignore(name)
	})
}

// readFields reads a JSON object of the folder.
func readFields(dir, name string) (*Fields, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return ParseFields(name, data)
}

func findHuggingFace(kind string) (HuggingFace, error) {
	var names []string
	for _, e := range Architectures.List() {
		if hf := e.Value.HuggingFace; hf.Type == kind && kind != "" {
			return hf, nil
		} else if hf.Type != "" {
			names = append(names, hf.Type)
		}
	}
	return HuggingFace{}, fmt.Errorf("config.json: model_type %q is not supported here, want one of %s", kind, strings.Join(names, ", "))
}

// openGGUF reads a file of llama.cpp.
func (p *Pretrained) openGGUF() error {
	if !strings.HasSuffix(p.Path, ".gguf") {
		return errors.New("want a folder that transformers opens, or a file that ends in .gguf")
	}
	f, err := gguf.Open(p.Path)
	if err != nil {
		return err
	}
	p.GGUF, p.Source = f, ggufSource(f)
	name, err := f.Text("general.architecture")
	if err != nil {
		return err
	}
	var arch GGUF
	var names []string
	for _, e := range Architectures.List() {
		if g := e.Value.GGUF; g.Name == name && g.Config != nil {
			arch = g
		} else if g.Name != "" && !slices.Contains(names, g.Name) {
			names = append(names, g.Name)
		}
	}
	if arch.Name == "" {
		return fmt.Errorf("general.architecture %q is not supported here, want one of %s", name, strings.Join(names, ", "))
	}
	m := &Metadata{file: &f.Metadata, find: f.Find, arch: name, seen: map[string]bool{}}
	p.Config = arch.Config(m)
	if err := m.finish(); err != nil {
		return err
	}
	if err := p.ggufIDs(); err != nil {
		return err
	}
	return p.check(arch.Weights, func(name string) bool {
		return name == "rope_freqs.weight" || name == "output.weight" && p.Config.TieEmbeddings
	})
}

// ggufIDs reads the special ids of a GGUF file.
func (p *Pretrained) ggufIDs() error {
	for _, x := range []struct {
		key string
		to  func(id int32)
	}{
		{"bos_token_id", func(id int32) { p.Generation.BOS = id }}, {"padding_token_id", func(id int32) { p.Generation.PAD = id }},
		{"eos_token_id", p.addEOS}, {"eot_token_id", p.addEOS}, {"eom_token_id", p.addEOS},
	} {
		id, err := p.GGUF.Int("tokenizer.ggml." + x.key)
		if errors.Is(err, gguf.ErrMissing) {
			continue
		}
		if err != nil {
			return err
		}
		if id >= 0 && id < int64(p.Config.VocabSize) {
			x.to(int32(id))
		}
	}
	return nil
}

func (p *Pretrained) addEOS(id int32) {
	if !slices.Contains(p.Generation.EOS, id) {
		p.Generation.EOS = append(p.Generation.EOS, id)
	}
}

// check compares the files' tensors with what the architecture has.
func (p *Pretrained) check(weights func(cfg Config) []Weight, ignore func(name string) bool) error {
	m, err := shaped(p.Config)
	if err != nil {
		return err
	}
	p.weights = weights(p.Config)
	return checkParts(parts(m, p.weights), p.Source, ignore)
}

// NumParams counts the parameters.
func (p *Pretrained) NumParams() int {
	m, err := shaped(p.Config)
	if err != nil {
		panic("model: Pretrained.NumParams: " + err.Error()) // Open built it before
	}
	return NumParams(m)
}

// Load builds the model with its weights. The result keeps nothing of the files.
func (p *Pretrained) Load(o LoadOptions) (Model, error) {
	m, err := shaped(p.Config)
	if err != nil {
		return nil, err
	}
	all := parts(m, p.weights)
	if o.Keep && !o.Train {
		all = p.keep(all, o.Pool)
	}
	for _, x := range m.Params() {
		if !x.Kept() {
			x.Allocate(o.Train)
		}
	}
	errs := make([]error, len(all))
	load := func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			t, _ := p.Source.Find(all[i].name)
			errs[i] = all[i].read(t)
		}
	}
	if o.Pool != nil {
		o.Pool.For(len(all), 1, load)
	} else {
		load(0, 0, len(all))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("load model %s: %w", p.Path, err)
	}
	return m, nil
}

// keep hands the matrices that can stay as they are to their parameters, and returns
// the parts of the others.
func (p *Pretrained) keep(all []part, pool *par.Pool) []part {
	var rest []part
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].param == all[0].param {
			n++
		}
		if blocks, ok := p.blocks(all[:n]); ok {
			all[0].param.Keep(pool, blocks...)
		} else {
			rest = append(rest, all[:n]...)
		}
		all = all[n:]
	}
	return rest
}

// blocks are a parameter's matrices in the files, if they can stay as they are.
// Learned positions are added, not multiplied: they cannot.
func (p *Pretrained) blocks(parts []part) ([]tensor.Blocks, bool) {
	var out []tensor.Blocks
	for _, x := range parts {
		t, _ := p.Source.Find(x.name)
		if len(x.param.Shape) != 2 || x.Transposed || x.param.Name == "positions.weight" || t.Data == nil {
			return nil, false
		}
		kind, ok := tensor.ParseBlockType(t.Type)
		if !ok || kind == tensor.BlockF32 {
			return nil, false
		}
		b := tensor.Blocks{Type: kind, Rows: x.shape[0], Cols: x.shape[1], Data: t.Data}
		if x.pairs > 0 {
			b.Order = make([]int32, b.Rows)
			for i := range b.Order {
				b.Order[i] = int32(pairedRow(i, b.Rows/x.pairs))
			}
		}
		if b.Check() != nil {
			return nil, false
		}
		out = append(out, b)
	}
	return out, true
}

func one(ids []int32) int32 {
	if len(ids) == 0 {
		return -1
	}
	return ids[0]
}

// readGeneration reads generation_config.json, where there is one. It says how to
// draw, not what a model computes, so what is not known in it is left alone.
func (p *Pretrained) readGeneration() error {
	f, err := readFields(p.Path, "generation_config.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	g := &p.Generation
	if id := one(f.IDs("bos_token_id")); id >= 0 {
		g.BOS = id
	}
	if id := one(f.IDs("pad_token_id")); id >= 0 {
		g.PAD = id
	}
	if ids := f.IDs("eos_token_id"); len(ids) > 0 {
		g.EOS = ids
	}
	g.Sample = set(f, "do_sample", f.Bool("do_sample", false))
	g.Temperature, g.TopP, g.MinP = set(f, "temperature", f.Float("temperature", 1)), set(f, "top_p", f.Float("top_p", 1)), set(f, "min_p", f.Float("min_p", 0))
	g.TopK, g.RepetitionPenalty = set(f, "top_k", f.Int("top_k", 0)), set(f, "repetition_penalty", f.Float("repetition_penalty", 1))
	return errors.Join(f.problems...)
}

func set[T any](f *Fields, key string, value T) *T {
	if !f.Has(key) {
		return nil
	}
	return &value
}

// weightFiles are the names under which a folder may have its weights, best first.
var weightFiles = []struct {
	name string
	open func(path string) (*tensors, error)
}{
	{"model.safetensors", openSafetensors}, {"model" + safetensors.IndexSuffix, openSafetensors},
	{"pytorch_model.bin", openPyTorch}, {"pytorch_model" + pytorch.IndexSuffix, openPyTorch},
}

// openTensors finds the weights of a folder.
func openTensors(dir string) (*tensors, error) {
	var names []string
	for _, x := range weightFiles {
		path := filepath.Join(dir, x.name)
		if _, err := os.Stat(path); err == nil {
			return x.open(path)
		}
		names = append(names, x.name)
	}
	return nil, fmt.Errorf("the folder has no weights: want one of %s", strings.Join(names, ", "))
}
