package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/tokenizer/ggufvocab"
)

// toGGUF writes a GGUF file with other types, a tensor at a time.
func toGGUF(ctx context.Context, opts *Options, p *model.Pretrained, r *Converted) error {
	want, err := fileType(opts)
	if err != nil {
		return err
	}
	return writeGGUF(ctx, opts, r, want, ggufEntries(p, want), slices.Clone(p.GGUF.Tensors), func(i int, to gguf.Type) ([]byte, error) { return requantize(p.GGUF.Tensors[i], to) })
}

// fileType is the type of a GGUF file's matrices.
func fileType(opts *Options) (gguf.Type, error) {
	want, ok := gguf.F32, true
	if opts.Type != "" {
		want, ok = gguf.ParseType(opts.Type)
	}
	if !ok || !want.Writable() {
		return 0, cmdenv.Usagef("model convert: --type %s: want one of %s", opts.Type, strings.Trim(fmt.Sprint(gguf.WritableTypes), "[]"))
	}
	return want, nil
}

// writeGGUF writes a GGUF file, whose tensors get the types that go with want. data
// gives a tensor's bytes in a type.
func writeGGUF(ctx context.Context, opts *Options, r *Converted, want gguf.Type, entries []gguf.KeyValue, tensors []gguf.Tensor, data func(i int, to gguf.Type) ([]byte, error)) error {
	for i := range tensors {
		tensors[i].Type = typeOf(tensors[i], want)
		r.Types[tensors[i].Type.String()]++
	}
	bar := opts.Env.Progress("convert", len(tensors))
	defer bar.Done()
	return fsatomic.WriteFile(r.Out, 0o644, func(w io.Writer) error {
		out, err := gguf.NewWriter(w, entries, tensors)
		if err != nil {
			return err
		}
		for i, t := range tensors {
			if err := ctx.Err(); err != nil {
				return err
			}
			data, err := data(i, t.Type)
			if err != nil {
				return fmt.Errorf("tensor %s: %w", t.Name, err)
			}
			if err := out.WriteTensor(data); err != nil {
				return err
			}
			bar.Set(i+1, t.Name)
		}
		return out.Close()
	})
}

// requantize gives a tensor's bytes in another type.
func requantize(t gguf.Tensor, to gguf.Type) ([]byte, error) {
	if t.Type == to {
		return t.Data, nil
	}
	numbers := make([]float32, t.Elements())
	if err := gguf.Dequantize(numbers, t.Type, t.Data); err != nil {
		return nil, err
	}
	size, _ := to.RowBytes(len(numbers)) // whole rows are whole blocks
	data := make([]byte, size)
	return data, gguf.Quantize(data, to, numbers)
}

// folderType is the type of a folder's numbers.
func folderType(name string) (safetensors.DType, error) {
	d, ok := safetensors.ParseDType(strings.ToUpper(name))
	if !ok || d != safetensors.F32 && d != safetensors.F16 && d != safetensors.BF16 {
		return 0, cmdenv.Usagef("model convert: --type %s: want F32, F16 or BF16 for a folder", name)
	}
	return d, nil
}

// dtypeNames are transformers' names of the types.
var dtypeNames = map[safetensors.DType]string{safetensors.F32: "float32", safetensors.F16: "float16", safetensors.BF16: "bfloat16"}

// exportFolder writes a GGUF file as a folder that transformers opens, with the
// tokenizer that is in it, if that is of a kind that can be written.
func exportFolder(opts *Options, p *model.Pretrained, r *Converted) error {
	kind := safetensors.F32
	if opts.Type != "" {
		var err error
		if kind, err = folderType(opts.Type); err != nil {
			return err
		}
	}
	pool, err := opts.Env.Pool()
	if err != nil {
		return err
	}
	m, err := p.Load(model.LoadOptions{Pool: pool})
	if err != nil {
		return cmdenv.BadInput(err)
	}
	arch, err := model.Architectures.Get(p.Config.Name)
	if err != nil {
		return err
	}
	e, err := arch.Export(m)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	e.Config["dtype"] = dtypeNames[kind]
	if ids := p.Generation; len(ids.EOS) > 0 {
		e.Config["eos_token_id"] = ids.EOS
	}
	if p.Generation.BOS >= 0 {
		e.Config["bos_token_id"] = p.Generation.BOS
	}
	config, err := json.MarshalIndent(e.Config, "", "  ")
	if err != nil {
		return err
	}
	list := make([]numbers, len(e.Tensors))
	for i, t := range e.Tensors {
		list[i] = numbers{safetensors.Tensor{Name: t.Name, DType: kind, Shape: t.Shape}, func(dst []float32) error { copy(dst, t.Data); return nil }}
	}
	documents := []document{textOf("config.json", config)}
	vocabulary, err := ggufvocab.JSON(&p.GGUF.Metadata)
	if err == nil {
		var settings []byte
		if settings, err = ggufvocab.Config(&p.GGUF.Metadata); err == nil {
			documents = append(documents, textOf("tokenizer.json", vocabulary), textOf("tokenizer_config.json", settings))
		}
	}
	if err != nil {
		opts.Env.Note("the tokenizer is not written: %v", err)
	}
	return writeFolder(r, documents, list)
}

// document is a file to be written beside the weights.
type document struct {
	name  string
	write func(w io.Writer) error
}

func textOf(name string, text []byte) document {
	return document{name, func(w io.Writer) error { _, err := w.Write(text); return err }}
}

// numbers is a tensor to be written.
type numbers struct {
	safetensors.Tensor
	read func(dst []float32) error
}

// copyFolder writes a folder's tensors under their names; every other file but
// weights is copied.
func copyFolder(ctx context.Context, opts *Options, p *model.Pretrained, r *Converted) error {
	var err error
	var list []numbers
	for _, name := range p.Source.Names() {
		t, _ := p.Source.Find(name)
		if t.Refused != nil {
			r.Dropped = append(r.Dropped, name)
			continue
		}
		kind, ok := safetensors.ParseDType(t.Type)
		if !ok || kind == safetensors.F64 {
			kind = safetensors.F32
		}
		if opts.Type != "" {
			if kind, err = folderType(opts.Type); err != nil {
				return err
			}
		}
		list = append(list, numbers{safetensors.Tensor{Name: name, DType: kind, Shape: t.Shape}, func(dst []float32) error { return errors.Join(ctx.Err(), t.Read(dst)) }})
	}
	paths, err := files(p)
	if err != nil {
		return err
	}
	var others []document
	for _, path := range paths {
		if name := filepath.Base(path); !isWeights(name) {
			others = append(others, document{name, func(w io.Writer) error { return copyFile(w, path) }})
		}
	}
	return writeFolder(r, others, list)
}

// isWeights says whether a file's name is that of weights or of their index.
func isWeights(name string) bool {
	return slices.ContainsFunc([]string{".safetensors", ".bin", ".pt", ".pth", ".gguf", ".index.json", ".h5", ".msgpack", ".onnx"}, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// writeFolder writes a folder, whole or not at all.
func writeFolder(r *Converted, documents []document, list []numbers) error {
	header := make([]safetensors.Tensor, len(list))
	byName := map[string]func([]float32) error{}
	for i, x := range list {
		header[i], byName[x.Name] = x.Tensor, x.read
		r.Types[x.DType.String()]++
	}
	safetensors.Sort(header)
	return fsatomic.WriteDir(r.Out, func(d *fsatomic.Dir) error {
		for _, x := range documents {
			if err := d.WriteFile(x.name, 0o644, x.write); err != nil {
				return err
			}
		}
		return d.WriteFile("model.safetensors", 0o644, func(w io.Writer) error {
			out, err := safetensors.NewWriter(w, header, map[string]string{"format": "pt"})
			if err != nil {
				return err
			}
			for _, t := range header {
				if err := writeNumbers(out, t, byName[t.Name]); err != nil {
					return fmt.Errorf("tensor %s: %w", t.Name, err)
				}
			}
			return out.Close()
		})
	})
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func writeNumbers(w io.Writer, t safetensors.Tensor, read func([]float32) error) error {
	size, _ := t.Bytes() // the writer has checked it
	values := make([]float32, size*8/t.DType.Bits())
	if err := read(values); err != nil {
		return err
	}
	data := make([]byte, size)
	if err := safetensors.FromFloat32(data, t.DType, values); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
