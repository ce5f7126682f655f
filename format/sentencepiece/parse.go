package sentencepiece

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of ModelProto.
const (
	numPieces       = 1
	numTrainer      = 2
	numNormalizer   = 3
	numSelfTest     = 4
	numDenormalizer = 5
)

// Parse reads the bytes of a file. It checks the form of the file; whether the
// pieces make a tokenizer is for who uses them to say.
func Parse(data []byte) (*Model, error) {
	if len(data) > MaxFile {
		return nil, formatError("it has %d bytes, at most %d are read", len(data), MaxFile)
	}
	count, err := countPieces(data)
	if err != nil {
		return nil, err
	}
	m := &Model{Trainer: DefaultTrainerSpec(), Normalizer: DefaultNormalizerSpec(), Pieces: make([]Piece, 0, count)}
	err = each(data, "model", func(num protowire.Number, typ protowire.Type, body, whole []byte) error {
		if typ == protowire.BytesType {
			switch num {
			case numPieces:
				return m.parsePiece(body)
			case numTrainer:
				m.set |= 1 << numTrainer
				return parseFields(body, "trainer_spec", m.Trainer.fields(), &m.Trainer.set, &m.Trainer.extra)
			case numNormalizer:
				m.set |= 1 << numNormalizer
				return parseFields(body, "normalizer_spec", m.Normalizer.fields(), &m.Normalizer.set, &m.Normalizer.extra)
			case numSelfTest:
				return m.parseSelfTest(body)
			case numDenormalizer:
				if m.Denormalizer == nil {
					d := DefaultNormalizerSpec()
					m.Denormalizer = &d
				}
				return parseFields(body, "denormalizer_spec", m.Denormalizer.fields(), &m.Denormalizer.set, &m.Denormalizer.extra)
			}
		}
		if num <= numDenormalizer {
			return formatError("field %d of the model has wire type %d, want %d", num, typ, protowire.BytesType)
		}
		m.extra = append(m.extra, whole...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(m.Pieces) == 0 {
		return nil, formatError("it has no pieces")
	}
	return m, nil
}

// countPieces walks the outermost fields, so that memory is taken once.
func countPieces(data []byte) (int, error) {
	n := 0
	err := each(data, "model", func(num protowire.Number, typ protowire.Type, body, _ []byte) error {
		if num != numPieces || typ != protowire.BytesType {
			return nil
		}
		if len(body) == 0 {
			return formatError("piece %d is empty", n)
		}
		n++
		return nil
	})
	return n, err
}

// each calls f with the fields of a message: body is the value of a bytes field,
// whole the field with its tag.
func each(data []byte, what string, f func(num protowire.Number, typ protowire.Type, body, whole []byte) error) error {
	size := len(data)
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return formatError("%s: byte %d is no field: %v", what, size-len(data), protowire.ParseError(n))
		}
		length := protowire.ConsumeFieldValue(num, typ, data[n:])
		if length < 0 {
			return formatError("%s: field %d at byte %d is cut short or broken: %v", what, num, size-len(data), protowire.ParseError(length))
		}
		value := data[n : n+length]
		if typ == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		if err := f(num, typ, value, data[:n+length]); err != nil {
			return err
		}
		data = data[n+length:]
	}
	return nil
}

func (m *Model) parsePiece(data []byte) error {
	id := len(m.Pieces)
	p := Piece{Type: Normal}
	err := each(data, "piece", func(num protowire.Number, typ protowire.Type, body, whole []byte) error {
		switch {
		case num == 1 && typ == protowire.BytesType:
			p.Text = string(body)
		case num == 2 && typ == protowire.Fixed32Type:
			v, _ := protowire.ConsumeFixed32(body)
			p.Score = math.Float32frombits(v)
		case num == 3 && typ == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(body)
			if v < uint64(Normal) || v > uint64(Byte) {
				return formatError("piece %d has type %d, want 1 to 6", id, v)
			}
			p.Type = Type(v)
		case num <= 3:
			return formatError("piece %d: field %d has wire type %d", id, num, typ)
		default:
			if m.extraPieces == nil {
				m.extraPieces = map[int][]byte{}
			}
			m.extraPieces[id] = append(m.extraPieces[id], whole...)
			return nil
		}
		p.set |= 1 << num
		return nil
	})
	switch {
	case err != nil:
		return err
	case p.Text == "":
		return formatError("piece %d is empty", id)
	case !utf8.ValidString(p.Text):
		return formatError("piece %d, %q, is not UTF-8", id, p.Text)
	}
	m.Pieces = append(m.Pieces, p)
	return nil
}

func (m *Model) parseSelfTest(data []byte) error {
	if m.SelfTest == nil {
		m.SelfTest = &SelfTest{}
	}
	return each(data, "self_test_data", func(num protowire.Number, typ protowire.Type, body, whole []byte) error {
		if num != 1 || typ != protowire.BytesType {
			m.SelfTest.extra = append(m.SelfTest.extra, whole...)
			return nil
		}
		if len(m.SelfTest.Samples) >= len(data)/8 { // a sample of use has two texts
			return formatError("self_test_data has more samples than %d bytes can hold", len(data))
		}
		var s Sample
		if err := parseFields(body, "self_test_data", s.fields(), &s.set, &s.extra); err != nil {
			return err
		}
		m.SelfTest.Samples = append(m.SelfTest.Samples, s)
		return nil
	})
}

// parseFields reads a message whose fields are plain values. What it has no name
// for goes to extra as it is.
func parseFields(data []byte, what string, fields []field, set *uint64, extra *[]byte) error {
	return each(data, what, func(num protowire.Number, typ protowire.Type, body, whole []byte) error {
		for _, f := range fields {
			if protowire.Number(f.num) != num {
				continue
			}
			if typ != f.wire() {
				return formatError("%s: field %d has wire type %d, want %d", what, num, typ, f.wire())
			}
			*set |= 1 << f.num
			return f.parse(what, body, len(data))
		}
		*extra = append(*extra, whole...)
		return nil
	})
}

func (f field) wire() protowire.Type {
	switch f.at.(type) {
	case *string, *[]string, *[]byte:
		return protowire.BytesType
	case *float32:
		return protowire.Fixed32Type
	}
	return protowire.VarintType
}

// parse sets the value from the bytes of a field of a message of size bytes.
func (f field) parse(what string, body []byte, size int) error {
	switch at := f.at.(type) {
	case *string:
		*at = string(body)
	case *[]string:
		if len(*at) > size/4 { // empty texts would take more memory than the file
			return formatError("%s: field %d comes too often for %d bytes", what, f.num, size)
		}
		*at = append(*at, string(body))
	case *[]byte:
		*at = append([]byte(nil), body...)
	case *float32:
		v, _ := protowire.ConsumeFixed32(body)
		*at = math.Float32frombits(v)
	default:
		v, _ := protowire.ConsumeVarint(body)
		return f.parseVarint(what, v)
	}
	return nil
}

func (f field) parseVarint(what string, v uint64) error {
	switch at := f.at.(type) {
	case *bool:
		*at = v != 0
	case *int32:
		*at = int32(v)
	case *uint64:
		*at = v
	case *ModelType:
		if v < uint64(Unigram) || v > uint64(Char) {
			return formatError("%s: model_type is %d, want 1 (unigram), 2 (bpe), 3 (word) or 4 (char)", what, v)
		}
		*at = ModelType(v)
	}
	return nil
}
