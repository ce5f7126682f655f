package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/tokenizer/ggufvocab"
)

// folderToGGUF writes a folder of transformers as a GGUF file with its tokenizer.
func folderToGGUF(ctx context.Context, opts *Options, p *model.Pretrained, r *Converted) error {
	want, err := fileType(opts)
	if err != nil {
		return err
	}
	words, err := vocabularyOf(p)
	if err != nil {
		return cmdenv.BadInput(fmt.Errorf("model convert: %s: %w", p.Path, err))
	}
	pool, err := opts.Env.Pool()
	if err != nil {
		return err
	}
	m, err := p.Load(model.LoadOptions{Pool: pool})
	if err != nil {
		return cmdenv.BadInput(err)
	}
	described, list, err := model.ExportGGUF(m)
	if err != nil {
		return cmdenv.BadInput(fmt.Errorf("model convert: %s: %w", p.Path, err))
	}
	entries := append(described, gguf.KeyValue{Key: "general.type", Value: "model"}, gguf.KeyValue{Key: "general.name", Value: filepath.Base(p.Path)})
	if text := licence(p); text != "" {
		entries = append(entries, gguf.KeyValue{Key: "general.license", Value: text})
	}
	entries = append(entries, gguf.KeyValue{Key: "general.file_type", Value: fileTypes[want]}, gguf.KeyValue{Key: "general.quantization_version", Value: uint32(2)})
	tensors := make([]gguf.Tensor, len(list))
	for i, t := range list {
		tensors[i] = gguf.Tensor{Name: t.Name, Shape: t.Shape}
	}
	return writeGGUF(ctx, opts, r, want, append(entries, words...), tensors, func(i int, to gguf.Type) ([]byte, error) {
		size, _ := to.RowBytes(len(list[i].Data)) // whole rows are whole blocks
		data := make([]byte, size)
		return data, gguf.Quantize(data, to, list[i].Data)
	})
}

// vocabularyOf reads a folder's tokenizer as metadata.
func vocabularyOf(p *model.Pretrained) ([]gguf.KeyValue, error) {
	src := ggufvocab.Source{VocabSize: p.Config.VocabSize, BOS: p.Generation.BOS, EOS: p.Generation.EOS, PAD: p.Generation.PAD}
	var err error
	if src.Tokenizer, err = os.ReadFile(filepath.Join(p.Path, "tokenizer.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the folder has no tokenizer.json, which the GGUF file's vocabulary is made of: save_pretrained of transformers' fast tokenizer writes it")
	}
	if err != nil {
		return nil, err
	}
	if src.Settings, err = optional(p.Path, "tokenizer_config.json"); err != nil {
		return nil, err
	}
	template, err := optional(p.Path, "chat_template.jinja")
	if err != nil {
		return nil, err
	}
	src.Template = string(template)
	return ggufvocab.Entries(src)
}

// optional reads a file that need not be there.
func optional(dir, name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}
