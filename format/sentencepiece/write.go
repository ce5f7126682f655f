package sentencepiece

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Append appends the file's bytes. A model that was parsed and not changed gives
// the bytes that sentencepiece itself would write for it: fields in the order of
// their numbers, then those without a name.
func (m *Model) Append(dst []byte) []byte {
	var body []byte
	for id := range m.Pieces {
		body = m.appendPiece(body[:0], id)
		dst = appendMessage(dst, numPieces, body)
	}
	defaults := DefaultTrainerSpec()
	body = appendFields(body[:0], m.Trainer.fields(), defaults.fields(), m.Trainer.set, m.Trainer.extra)
	if m.set&(1<<numTrainer) != 0 || len(body) > 0 {
		dst = appendMessage(dst, numTrainer, body)
	}
	body = m.Normalizer.append(body[:0])
	if m.set&(1<<numNormalizer) != 0 || len(body) > 0 {
		dst = appendMessage(dst, numNormalizer, body)
	}
	if m.SelfTest != nil {
		dst = appendMessage(dst, numSelfTest, m.SelfTest.append(nil))
	}
	if m.Denormalizer != nil {
		dst = appendMessage(dst, numDenormalizer, m.Denormalizer.append(body[:0]))
	}
	return append(dst, m.extra...)
}

// WriteVocab writes the .vocab file: a piece a line, and its score after a tab if
// the trainer's VocabularyOutputPieceScore says so.
func (m *Model) WriteVocab(w io.Writer) error {
	var line []byte
	for _, p := range m.Pieces {
		line = append(line[:0], p.Text...)
		if m.Trainer.VocabularyOutputPieceScore {
			line = append(line, '\t')
			line = strconv.AppendFloat(line, float64(p.Score), 'g', 6, 32)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func appendMessage(dst []byte, num protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, num, protowire.BytesType), body)
}

func (m *Model) appendPiece(dst []byte, id int) []byte {
	p := m.Pieces[id]
	dst = appendMessage(dst, 1, []byte(p.Text))
	// what the file gave stays, and so does what a new piece needs
	if p.set == 0 || p.set&(1<<2) != 0 || math.Float32bits(p.Score) != 0 {
		dst = protowire.AppendFixed32(protowire.AppendTag(dst, 2, protowire.Fixed32Type), math.Float32bits(p.Score))
	}
	if p.set&(1<<3) != 0 || p.Type != Normal {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 3, protowire.VarintType), uint64(p.Type))
	}
	return append(dst, m.extraPieces[id]...)
}

func (s *NormalizerSpec) append(dst []byte) []byte {
	defaults := DefaultNormalizerSpec()
	return appendFields(dst, s.fields(), defaults.fields(), s.set, s.extra)
}

func (s *SelfTest) append(dst []byte) []byte {
	for i := range s.Samples {
		sample, none := &s.Samples[i], Sample{}
		dst = appendMessage(dst, 1, appendFields(nil, sample.fields(), none.fields(), sample.set, sample.extra))
	}
	return append(dst, s.extra...)
}

// appendFields writes the fields that were set in the file or differ from their
// default.
func appendFields(dst []byte, fields, defaults []field, set uint64, extra []byte) []byte {
	for i, f := range fields {
		if set&(1<<f.num) != 0 || !f.same(defaults[i]) {
			dst = f.append(dst)
		}
	}
	return append(dst, extra...)
}

func (f field) same(g field) bool {
	switch at := f.at.(type) {
	case *string:
		return *at == *g.at.(*string)
	case *[]string:
		return slices.Equal(*at, *g.at.(*[]string))
	case *[]byte:
		return bytes.Equal(*at, *g.at.(*[]byte))
	case *bool:
		return *at == *g.at.(*bool)
	case *int32:
		return *at == *g.at.(*int32)
	case *uint64:
		return *at == *g.at.(*uint64)
	case *float32:
		return math.Float32bits(*at) == math.Float32bits(*g.at.(*float32))
	}
	return *f.at.(*ModelType) == *g.at.(*ModelType)
}

func (f field) append(dst []byte) []byte {
	num := protowire.Number(f.num)
	varint := func(v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(dst, num, protowire.VarintType), v)
	}
	switch at := f.at.(type) {
	case *string:
		return appendMessage(dst, num, []byte(*at))
	case *[]string:
		for _, s := range *at {
			dst = appendMessage(dst, num, []byte(s))
		}
		return dst
	case *[]byte:
		return appendMessage(dst, num, *at)
	case *bool:
		return varint(protowire.EncodeBool(*at))
	case *int32:
		return varint(uint64(int64(*at)))
	case *uint64:
		return varint(*at)
	case *float32:
		return protowire.AppendFixed32(protowire.AppendTag(dst, num, protowire.Fixed32Type), math.Float32bits(*at))
	}
	return varint(uint64(*f.at.(*ModelType)))
}
