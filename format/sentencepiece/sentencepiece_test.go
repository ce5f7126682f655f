package sentencepiece

import (
	"bytes"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// message is a field of bytes.
func message(num int, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{byte(num<<3 | 2), byte(len(body))}, body...)
}

// whole is a small model as sentencepiece writes one: fields in the order of their
// numbers, unset ones left out, and an extension in every message.
func whole() []byte {
	varint := func(num, v byte) []byte { return []byte{num << 3, v} }
	extension := []byte{0xC2, 0x0C, 0x01, 0x07} // field 200
	return bytes.Join([][]byte{
		message(1, message(1, []byte("<unk>")), []byte{0x15, 0, 0, 0, 0}, varint(3, 2)),
		message(1, message(1, []byte("\u2581a")), []byte{0x15, 0, 0, 0x20, 0x41}, extension),
		message(1, message(1, []byte("b"))),
		message(2, message(1, []byte("a.txt")), message(1, []byte("b.txt")), varint(3, 2), varint(4, 3), []byte{0x55, 0, 0, 0x80, 0x3F}, extension),
		message(3, message(1, []byte("name")), message(2, []byte{0, 1}), varint(3, 1), varint(4, 0), extension),
		message(4, message(1, message(1, []byte("a")), message(2, []byte("\u2581a")), extension), extension),
		message(5, message(6, []byte("x\ty"))),
		extension,
	}, nil)
}

// What is read is what the file says, and it is written as it was.
func TestRoundTrip(t *testing.T) {
	data := whole()
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Append(nil); !bytes.Equal(got, data) {
		t.Errorf("written again:\n got %s\nwant %s", hex.EncodeToString(got), hex.EncodeToString(data))
	}
	switch {
	case len(m.Pieces) != 3 || m.Pieces[0].Type != Unknown || m.Pieces[1].Text != "\u2581a" || m.Pieces[1].Score != 10 || m.Pieces[2].Type != Normal:
		t.Errorf("pieces %+v", m.Pieces)
	case m.Trainer.ModelType != BPE || m.Trainer.VocabSize != 3 || len(m.Trainer.Input) != 2 || m.Trainer.CharacterCoverage != 1 || m.Trainer.UnkSurface != " \u2047 ":
		t.Errorf("trainer_spec %+v", m.Trainer)
	case m.Normalizer.Name != "name" || m.Normalizer.RemoveExtraWhitespaces || !m.Normalizer.EscapeWhitespaces:
		t.Errorf("normalizer_spec %+v", m.Normalizer)
	case m.SelfTest == nil || m.SelfTest.Samples[0].Expected != "\u2581a" || m.Denormalizer == nil || m.Denormalizer.NormalizationRuleTSV != "x\ty":
		t.Errorf("self_test_data %+v, denormalizer_spec %+v", m.SelfTest, m.Denormalizer)
	}
}

func TestChange(t *testing.T) {
	m, err := Parse(whole())
	if err != nil {
		t.Fatal(err)
	}
	m.Pieces = append(m.Pieces, Piece{Text: "c", Score: -1, Type: UserDefined})
	m.Trainer.PadID = 5
	m.Trainer.ControlSymbols = []string{"<x>", ""}
	path := filepath.Join(t.TempDir(), "x.model")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if p := again.Pieces[3]; p.Text != "c" || p.Score != -1 || p.Type != UserDefined || again.Trainer.PadID != 5 || len(again.Trainer.ControlSymbols) != 2 {
		t.Errorf("read again: %+v %+v", p, again.Trainer)
	}
}

func TestWriteVocab(t *testing.T) {
	m := New()
	m.Pieces = []Piece{{Text: "<unk>"}, {Text: "\u2581a", Score: -3.14159265}, {Text: "b", Score: -1234567}, {Text: "c", Score: -0.00001}}
	var out strings.Builder
	if err := m.WriteVocab(&out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "<unk>\t0\n\u2581a\t-3.14159\nb\t-1.23457e+06\nc\t-1e-05\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Trainer.VocabularyOutputPieceScore = false
	out.Reset()
	if err := m.WriteVocab(&out); err != nil || out.String() != "<unk>\n\u2581a\nb\nc\n" {
		t.Errorf("without scores: %q, %v", out.String(), err)
	}
}

func TestRejects(t *testing.T) {
	f := func(want string, data []byte) {
		t.Helper()
		if _, err := Parse(data); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	f("no pieces", nil)
	f("no pieces", message(2))
	f("cut short", whole()[:20])
	f("cut short", []byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) // a piece of 4 GB
	f("is empty", message(1))
	f("is empty", message(1, []byte{0x18, 1}))
	f("has type 7", message(1, message(1, []byte("a")), []byte{0x18, 7}))
	f("not UTF-8", message(1, message(1, []byte{0xFF})))
	f("wire type", message(1, []byte{0x08, 1}))
	f("wire type", append(message(1, message(1, []byte("a"))), 0x10, 1))
	f("wire type", append(message(1, message(1, []byte("a"))), message(2, []byte{0x20 | 5, 0, 0, 0, 0})...))
	f("model_type is 9", append(message(1, message(1, []byte("a"))), message(2, []byte{0x18, 9})...))
	f("too often", append(message(1, message(1, []byte("a"))), message(2, bytes.Repeat([]byte{0x0A, 0}, 60))...))
	f("no field", []byte{0x07})
}

// What is read can be written and read again, to the same bytes.
func FuzzParse(f *testing.F) {
	f.Add(whole())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		once := m.Append(nil)
		again, err := Parse(once)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Append(nil), once) {
			t.Error("written twice, the bytes differ")
		}
	})
}
