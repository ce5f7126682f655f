package spmtrain

import (
	"fmt"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
)

// assemble gives the pieces their ids: learned ones fill those that the options left.
func (c *Config) assemble(metas map[int32]meta, learned []piece) (*format.Model, error) {
	m := format.New()
	m.Trainer, m.Normalizer = c.Trainer, c.Normalizer
	names := map[string]bool{}
	for _, p := range metas {
		names[p.text] = true
	}
	next := 0
	for id := range c.Trainer.VocabSize {
		if p, ok := metas[id]; ok {
			m.Pieces = append(m.Pieces, format.Piece{Text: p.text, Type: p.typ})
			continue
		}
		if next == len(learned) {
			continue
		}
		if names[learned[next].text] {
			return nil, fmt.Errorf("the piece %q was learned, but the options ask for it too: leave it out of them", learned[next].text)
		}
		m.Pieces = append(m.Pieces, format.Piece{Text: learned[next].text, Score: float32(learned[next].score), Type: format.Normal})
		next++
	}
	for id := range metas {
		if int(id) >= len(m.Pieces) || m.Pieces[id].Text != metas[id].text {
			return nil, fmt.Errorf("the corpus gives %d pieces, too few for %q to have id %d: lower vocab_size or the id", len(m.Pieces), metas[id].text, id)
		}
	}
	if n := len(m.Pieces); n < int(c.Trainer.VocabSize) {
		if c.Trainer.HardVocabLimit {
			return nil, fmt.Errorf("the corpus gives only %d pieces, vocab_size is %d: lower it, give more text, or switch hard_vocab_limit off", n, c.Trainer.VocabSize)
		}
		m.Trainer.VocabSize = int32(n)
	}
	return m, nil
}
