package model

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/model"
)

// Converted is the result of model convert.
type Converted struct {
	From    string         `json:"from"`
	Out     string         `json:"out"`
	Bytes   int64          `json:"bytes"`
	Types   map[string]int `json:"types"`   // tensors of each type
	Dropped []string       `json:"dropped"` // tensors that are no floating-point numbers
}

func newConvert(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := command(opts, "convert MODEL --out PATH", "Write a model in another format or with other number types",
		"Write a folder of transformers (safetensors or .bin) or a GGUF file as a folder with model.safetensors or as a\n"+
			"GGUF file, with the tokenizer. PATH decides: one that ends in .gguf is a file. Types of a folder:\n"+
			"F32, F16, BF16. Types of a GGUF file: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K; vectors stay F32, and\n"+
			"matrices whose rows are no multiple of a type's block become Q8_0 or F16.",
		"  codexml model convert ./pytorch-model --out ./model --type BF16\n  codexml model convert model.Q4_1.gguf --out ./model\n"+
			"  codexml model convert ./model --out model.Q8_0.gguf --type Q8_0\n"+
			"  codexml model convert model.F16.gguf --out model.Q4_K.gguf --type Q4_K", runF, convert)
	cmd.Flags().StringVar(&opts.Out, "out", "", "folder or .gguf file to write (`PATH`)")
	cmd.Flags().StringVar(&opts.Type, "type", "", "`TYPE` of the numbers (default F32; a folder's own type)")
	cmd.Flags().BoolVar(&opts.Force, "force", false, "replace what is at PATH")
	return cmd
}

func convert(ctx context.Context, opts *Options) (err error) {
	if opts.Out == "" {
		return cmdenv.Usagef("model convert: --out is missing: name the folder or the .gguf file to write")
	}
	out := opts.Env.Path(opts.Out)
	if _, err := os.Stat(out); err == nil && !opts.Force {
		return cmdenv.BadInput(fmt.Errorf("model convert: %s exists: choose another path, or give --force to replace it", out))
	}
	found, p, err := opts.open()
	if err != nil {
		return err
	}
	defer closing(p, &err)
	if same(found.Path, out) {
		return cmdenv.BadInput(fmt.Errorf("model convert: %s is the model itself: choose another path", out))
	}
	r := Converted{From: found.Path, Out: out, Types: map[string]int{}, Dropped: []string{}}
	switch isFile := strings.HasSuffix(out, ".gguf"); {
	case isFile && p.GGUF == nil:
		err = folderToGGUF(ctx, opts, p, &r)
	case isFile:
		err = toGGUF(ctx, opts, p, &r)
	case p.GGUF != nil:
		err = exportFolder(opts, p, &r)
	default:
		err = copyFolder(ctx, opts, p, &r)
	}
	if err != nil {
		return err
	}
	r.Bytes = size(out)
	return opts.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, from %s\n", r.Out, cmdenv.Bytes(r.Bytes), r.From)
		if len(r.Dropped) > 0 {
			fmt.Fprintf(w, "left out, as they are no floating-point numbers: %s\n", strings.Join(r.Dropped, ", "))
		}
	})
}

// same says whether two paths are one file or folder.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y) || filepath.Clean(a) == filepath.Clean(b)
}

// fileTypes are llama.cpp's numbers of general.file_type.
var fileTypes = map[gguf.Type]uint32{gguf.F32: 0, gguf.F16: 1, gguf.Q4_0: 2, gguf.Q4_1: 3, gguf.Q8_0: 7, gguf.Q4_K: 14, gguf.Q6_K: 18, gguf.BF16: 32}

// typeOf chooses the type of a tensor: vectors stay F32, since little is to be gained
// and llama.cpp wants them so.
func typeOf(t gguf.Tensor, want gguf.Type) gguf.Type {
	if len(t.Shape) < 2 || t.Name == "position_embd.weight" { // positions are added, not multiplied
		return gguf.F32
	}
	for _, kind := range []gguf.Type{want, gguf.Q8_0} {
		if _, ok := kind.RowBytes(t.Shape[len(t.Shape)-1]); ok {
			return kind
		}
	}
	return gguf.F16
}

// ggufEntries are the metadata of a file with other types: those of the split and of
// the types are its own.
func ggufEntries(p *model.Pretrained, want gguf.Type) (out []gguf.KeyValue) {
	for _, key := range p.GGUF.Keys() {
		value, _ := p.GGUF.Meta(key)
		switch {
		case strings.HasPrefix(key, "split."), key == "general.file_type", key == "general.quantization_version", key == "general.alignment":
		default:
			out = append(out, gguf.KeyValue{Key: key, Value: value})
		}
	}
	return append(out, gguf.KeyValue{Key: "general.file_type", Value: fileTypes[want]}, gguf.KeyValue{Key: "general.quantization_version", Value: uint32(2)})
}
