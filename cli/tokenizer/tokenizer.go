// Package tokenizer holds the commands codexml tokenizer: train, use, look at,
// change, compare, convert and measure tokenizers.
package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/gguf"
	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/ggufvocab"
	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// DefaultPath is where train puts a tokenizer unless it is told otherwise.
const DefaultPath = "artifacts/tokenizers/default/tokenizer.json"

// New makes the command group.
func New(env *cmdenv.Env) *cobra.Command {
	return cmdenv.Group("tokenizer", "Train, use, inspect, change and measure tokenizers",
		newTrain(env, nil), newEncode(env, nil), newDecode(env, nil), newCount(env, nil), newInspect(env, nil), newStats(env, nil),
		newMerge(env, nil), newExpand(env, nil), newTrim(env, nil), newDiff(env, nil), newConvert(env, nil), newExport(env, nil),
		newValidate(env, nil), newBench(env, nil))
}

// full is what a tokenizer of a tokenizer.json can do beyond tokenizer.Tokenizer.
type full interface {
	tokenizer.Tokenizer
	AppendIDs(dst []int32, text []byte, allowed tokenizer.AllowedSpecials) []int32
	EncodeText(text []byte, o tokenizer.EncodeOptions) (*tokenizer.Encoding, error)
	DecodeText(ids []int32, skipSpecial bool) string
	AddedTokens() []tokenizer.AddedToken
}

// open loads a tokenizer: a file of any format, or a folder with one.
func open(env *cmdenv.Env, path string) (tokenizer.Tokenizer, error) {
	if path == "" {
		path = DefaultPath
	}
	abs := env.Path(path)
	if info, err := os.Stat(abs); err != nil {
		return nil, cmdenv.WithHint(cmdenv.BadInput(fmt.Errorf("load a tokenizer: %w", err)), "codexml tokenizer train --corpus 'texts/*.txt' makes one in %s", DefaultPath)
	} else if info.IsDir() {
		for _, name := range []string{"tokenizer.json", "spm.model"} {
			if file := filepath.Join(abs, name); isFile(file) {
				abs = file
				break
			}
		}
	}
	t, err := load(abs)
	return t, cmdenv.BadInput(err)
}

// load reads SentencePiece's models as SentencePiece does, of a GGUF file its
// vocabulary, and everything else as package tokenizer does.
func load(path string) (tokenizer.Tokenizer, error) {
	switch filepath.Ext(path) {
	case ".model":
		return sentencepiece.Load(path)
	case ".gguf":
		data, err := fromGGUF(path)
		if err != nil {
			return nil, err
		}
		return tokenizer.Parse(path, data)
	}
	if names := gpt2Files(path); names != nil {
		data, err := fromGPT2(names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return tokenizer.Parse(path, data)
	}
	return tokenizer.Load(path)
}

// gpt2Files are the files of a folder that has GPT-2's and no tokenizer.json.
func gpt2Files(path string) []string {
	names := []string{filepath.Join(path, "vocab.json"), filepath.Join(path, "merges.txt")}
	if !isFile(names[0]) || !isFile(names[1]) || isFile(filepath.Join(path, "tokenizer.json")) {
		return nil
	}
	return names
}

func fromGPT2(names []string) ([]byte, error) {
	pieces, err := os.ReadFile(names[0])
	if err != nil {
		return nil, err
	}
	merges, err := os.ReadFile(names[1])
	if err != nil {
		return nil, err
	}
	return vocab.FromGPT2(pieces, merges)
}

// fromGGUF makes a tokenizer.json of the vocabulary in a GGUF file.
func fromGGUF(path string) ([]byte, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ggufvocab.JSON(&f.Metadata)
}

// document reads a tokenizer.json to be changed, a file or in a folder; a unigram
// model of SentencePiece and the vocabulary in a GGUF file become one.
func document(env *cmdenv.Env, path string) (*vocab.Document, error) {
	abs := env.Path(path)
	if file := filepath.Join(abs, "tokenizer.json"); isFile(file) {
		abs = file
	}
	data, err := []byte(nil), error(nil)
	names := gpt2Files(abs)
	switch ext := filepath.Ext(abs); {
	case names != nil:
		data, err = fromGPT2(names)
	case ext == ".model":
		var m *format.Model
		if m, err = format.Read(abs); err == nil {
			data, err = vocab.FromSentencePiece(m)
		}
	case ext == ".gguf":
		data, err = fromGGUF(abs)
	default:
		data, err = os.ReadFile(abs)
	}
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	d, err := vocab.ParseDocument(path, data)
	return d, cmdenv.BadInput(err)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// specials lists the special tokens of a tokenizer.
func specials(t tokenizer.Tokenizer) []vocab.Piece {
	out := []vocab.Piece{}
	if f, ok := t.(full); ok {
		for _, a := range f.AddedTokens() {
			if a.Special {
				out = append(out, vocab.Piece{ID: a.ID, Piece: a.Content})
			}
		}
		return out
	}
	seen := map[int32]bool{}
	for _, get := range []func() (int32, bool){t.BOS, t.EOS, t.PAD} {
		if id, ok := get(); ok && !seen[id] {
			seen[id] = true
			out = append(out, vocab.Piece{ID: id, Piece: t.Piece(id)})
		}
	}
	for i, n := range t.ByteLengths() {
		piece := t.Piece(int32(i))
		if n == 0 && piece != "" && !seen[int32(i)] {
			out = append(out, vocab.Piece{ID: int32(i), Piece: piece})
		}
	}
	slices.SortFunc(out, func(a, b vocab.Piece) int { return int(a.ID) - int(b.ID) })
	return out
}

// parseAllowed reads --allowed-special.
func parseAllowed(t tokenizer.Tokenizer, value string) (tokenizer.AllowedSpecials, error) {
	switch value {
	case "all":
		return tokenizer.AllSpecials(), nil
	case "none":
		return tokenizer.NoSpecials(), nil
	}
	known := specials(t)
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		if !slices.ContainsFunc(known, func(p vocab.Piece) bool { return p.Piece == name }) {
			return tokenizer.AllowedSpecials{}, cmdenv.Usagef("--allowed-special: want none, all, or a list of the tokenizer's special tokens with commas between them: it has no %q", name)
		}
		names = append(names, name)
	}
	return tokenizer.OnlySpecials(names...), nil
}

// tokenizerAndRest tells which of the arguments is the tokenizer: the first, unless
// --tokenizer-path names it, or it is alone and no file.
func tokenizerAndRest(env *cmdenv.Env, flag string, args []string) (path string, rest []string) {
	if flag != "" || len(args) == 0 {
		return flag, args
	}
	_, err := os.Stat(env.Path(args[0]))
	named := slices.Contains([]string{".json", ".model", ".gguf", ".tiktoken"}, filepath.Ext(args[0]))
	if err == nil || named || len(args) > 1 {
		return args[0], args[1:]
	}
	return "", args
}
