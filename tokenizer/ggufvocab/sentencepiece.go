package ggufvocab

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"
)

// space is what stands for a blank in SentencePiece's pieces.
const space = "\u2581"

// maxPiece is the longest piece whose merges are looked for, in bytes: longer ones
// (Gemma has runs of blanks) have theirs too, but a piece of a kilobyte is a lie.
const maxPiece = 1 << 10

// sentencePiece is BPE over characters, by score. A piece is made of the two of its
// parts that are pieces; which merge comes first is decided by the score of what it
// makes, and for one piece by the parts' own order.
func (v *vocabulary) sentencePiece(file object) error {
	scores, err := v.m.Floats("tokenizer.ggml.scores")
	if err != nil {
		return err
	}
	if len(scores) != len(v.tokens) {
		return fmt.Errorf("tokenizer.ggml.scores has %d entries, tokenizer.ggml.tokens %d", len(scores), len(v.tokens))
	}
	ids := v.ids()
	var steps []object
	if v.flag("add_space_prefix", true) {
		steps = append(steps, object{"type": "Prepend", "prepend": space})
	}
	steps = append(steps, object{"type": "Replace", "pattern": object{"String": " "}, "content": space})
	file["normalizer"] = object{"type": "Sequence", "normalizers": steps}
	file["pre_tokenizer"] = nil
	decoders := []object{{"type": "Replace", "pattern": object{"String": space}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}}
	if v.flag("add_space_prefix", true) {
		decoders = append(decoders, object{"type": "Strip", "content": " ", "start": 1, "stop": 0})
	}
	file["decoder"] = object{"type": "Sequence", "decoders": decoders}
	var unknown any
	if text, _, ok := v.token("unknown"); ok {
		unknown = text
	}
	file["model"] = object{
		"type": "BPE", "dropout": nil, "unk_token": unknown, "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": true,
		"byte_fallback": slices.Contains(v.kinds, kindByte), "ignore_merges": false, "vocab": ids, "merges": v.merges(ids, scores),
	}
	return nil
}

// merges lists the pairs of pieces that make a piece, best first.
func (v *vocabulary) merges(ids map[string]int, scores []float64) [][2]string {
	type pair struct{ left, right, whole int }
	var all []pair
	for id, text := range v.tokens {
		if k := v.kinds[id]; k != 0 && k != 1 && k != kindUserDefined || ids[text] != id || len(text) > maxPiece {
			continue
		}
		from := len(all)
		for cut := range text {
			if cut == 0 || !utf8.RuneStart(text[cut]) {
				continue
			}
			left, okLeft := ids[text[:cut]]
			right, okRight := ids[text[cut:]]
			if okLeft && okRight {
				all = append(all, pair{left, right, id})
			}
		}
		slices.SortStableFunc(all[from:], func(a, b pair) int { return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) })
	}
	slices.SortStableFunc(all, func(a, b pair) int { return -cmp.Compare(scores[a.whole], scores[b.whole]) })
	out := make([][2]string, len(all))
	for i, p := range all {
		out[i] = [2]string{v.tokens[p.left], v.tokens[p.right]}
	}
	return out
}
