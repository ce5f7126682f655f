package vocab

import (
	"encoding/base64"
	"fmt"
	"strconv"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
)

// FromSentencePiece writes a SentencePiece unigram model as a tokenizer.json. The
// libraries differ in odd texts (in what Hugging Face's makes of a charsmap, for
// one): whoever relies on equal ids proves them with Prove.
func FromSentencePiece(m *format.Model) ([]byte, error) {
	if m.Trainer.ModelType != format.Unigram {
		return nil, fmt.Errorf("write a SentencePiece model as tokenizer.json: want a unigram model, got type %d", m.Trainer.ModelType)
	}
	if m.Trainer.TreatWhitespaceAsSuffix || !m.Normalizer.EscapeWhitespaces {
		return nil, fmt.Errorf("write a SentencePiece model as tokenizer.json: spaces behind words, or spaces that are not escaped, have no counterpart there")
	}
	added := []Added{}
	vocab := [][2]any{}
	unknown := -1
	for i, p := range m.Pieces {
		switch p.Type {
		case format.Unknown:
			unknown = i
			added = append(added, Added{ID: int32(i), Content: p.Text, Special: true})
		case format.Control:
			added = append(added, Added{ID: int32(i), Content: p.Text, Special: true})
		case format.UserDefined:
			added = append(added, Added{ID: int32(i), Content: p.Text})
		}
		score, err := strconv.ParseFloat(strconv.FormatFloat(float64(p.Score), 'g', -1, 32), 64)
		if err != nil {
			return nil, err
		}
		vocab = append(vocab, [2]any{p.Text, score})
	}
	scheme := "never"
	if m.Normalizer.AddDummyPrefix {
		scheme = "always"
	}
	metaspace := object{}
	metaspace.set("type", "Metaspace")
	metaspace.set("replacement", "\u2581")
	metaspace.set("prepend_scheme", scheme)
	metaspace.set("split", false)
	model := object{}
	model.set("type", "Unigram")
	model.set("unk_id", unknown)
	model.set("vocab", vocab)
	model.set("byte_fallback", m.Trainer.ByteFallback)
	root := object{}
	root.set("version", "1.0")
	root.set("truncation", nil)
	root.set("padding", nil)
	root.set("added_tokens", added)
	root.set("normalizer", normalizerOf(&m.Normalizer))
	root.set("pre_tokenizer", metaspace)
	root.set("post_processor", nil)
	root.set("decoder", decoderOf(metaspace, m.Trainer.ByteFallback))
	root.set("model", model)
	return append(appendJSON(nil, root), '\n'), nil
}

// normalizerOf writes a charsmap and the removal of spaces.
func normalizerOf(n *format.NormalizerSpec) any {
	steps := []any{}
	if len(n.PrecompiledCharsmap) > 0 {
		steps = append(steps, map[string]any{"type": "Precompiled", "precompiled_charsmap": base64.StdEncoding.EncodeToString(n.PrecompiledCharsmap)})
	}
	if n.RemoveExtraWhitespaces {
		steps = append(steps, map[string]any{"type": "Replace", "pattern": map[string]string{"Regex": "^ +| +$"}, "content": ""},
			map[string]any{"type": "Replace", "pattern": map[string]string{"Regex": " {2,}"}, "content": " "})
	}
	if len(steps) == 0 {
		return nil
	}
	return map[string]any{"type": "Sequence", "normalizers": steps}
}

// decoderOf spells bytes first, where there are any.
func decoderOf(metaspace object, bytes bool) any {
	if !bytes {
		return metaspace
	}
	return map[string]any{"type": "Sequence", "decoders": []any{map[string]string{"type": "ByteFallback"}, metaspace}}
}
