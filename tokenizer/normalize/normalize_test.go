package normalize

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// texts are the seeds of the fuzz targets.
var texts = []string{
	"", "  A  b ", "\u00c5ngstr\u00f6m \u212b A\u030a", "\u2122\x1eg", "\x1e\x1eab\u2122", "\xff\u0301a\xc3", "\u0130\u4e2d\u6587\uac01\u11a8", "a" + strings.Repeat("\u0301\u0323", 40),
}

// Both methods of every normaliser agree, for any bytes.
func FuzzAgreement(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	small, err := mapping{"\u2122": "TM", "\x1e": "", "a\u030a": "\u00e5"}.compile()
	if err != nil {
		f.Fatal(err)
	}
	all := subjectsWith(f, small)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<12 {
			return
		}
		for _, name := range names {
			checkAgreement(t, all[name], text)
		}
		again := NFC.Append(nil, NFC.Append(nil, text))
		if want := NFC.Append(nil, NFD.Append(nil, text)); !slices.Equal(again, want) {
			t.Errorf("NFC of NFD of %q is %q, want %q", text, want, again)
		}
	})
}

// A hostile charsmap is refused or does something, within its bounds.
func FuzzCharsmap(f *testing.F) {
	small, err := mapping{"a": "b", "ab": "", "\u00e9": "e"}.compile()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small, []byte("abc\u00e9"))
	f.Add(small[:9], []byte("a"))
	f.Add([]byte("\x08\x00\x00\x00\xff\xff\xff\xff\x00\x04\x00\x00"), []byte("a"))
	f.Fuzz(func(t *testing.T, charsmap, text []byte) {
		if len(text) > 1<<10 || len(charsmap) > 1<<14 {
			return
		}
		if p, err := NewPrecompiled(charsmap); err == nil {
			checkAgreement(t, p, text)
		}
		s, err := NewSentencePiece(SentencePieceConfig{Charsmap: charsmap, RemoveExtraWhitespaces: true, AddDummyPrefix: true, EscapeWhitespaces: true, UserDefined: []string{"ab"}})
		if err == nil {
			checkAgreement(t, s, text)
		}
	})
}

func TestCharsmapRejects(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"a short trie": {8, 0, 0, 0, 1},
		"no trie":      {0, 0, 0, 0, 'a', 0},
		"a huge trie":  binary.LittleEndian.AppendUint32(nil, 1<<31),
		"no UTF-8":     {4, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0},
		"a long text":  append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, strings.Repeat("a", maxReplacement+1)...),
	} {
		if _, err := NewPrecompiled(data); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
	if _, err := BuildCharsmap("nfkd"); err == nil {
		t.Error("an unknown rule was accepted")
	}
	if _, err := NewSentencePiece(SentencePieceConfig{UserDefined: []string{""}}); err == nil {
		t.Error("an empty symbol was accepted")
	}
}

// Plain text is rewritten without a single allocation where dst has room.
func TestAppendAllocates(t *testing.T) {
	dst := make([]byte, 0, 1<<12)
	text := []byte("Plain text, \u00e9t\u00e9 e\u0301 \u4e2d\u6587, and more of it.")
	for name, n := range subjects(t) {
		if name == "Precompiled" || name == "Albert" {
			continue // graphemes are found by a library
		}
		n.Append(dst, text)
		if a := testing.AllocsPerRun(20, func() { n.Append(dst, text) }); a > 0 {
			t.Errorf("%s: %v allocations", name, a)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	text := []byte(strings.Repeat("The caf\u00e9 of \u00c5ngstr\u00f6m (e\u0301) is \u4e2d\u6587. ", 100))
	for name, n := range subjects(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var dst []byte
			for b.Loop() {
				dst = n.Append(dst[:0], text)
			}
		})
	}
}
