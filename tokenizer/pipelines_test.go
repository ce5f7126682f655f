package tokenizer

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// pipelineTexts are the texts that pipelines.py gives the original.
func pipelineTexts(t *testing.T) (texts []string) {
	t.Helper()
	data, err := os.ReadFile("testdata/pipelines.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var text string
		if err := json.Unmarshal([]byte(line), &text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// describe is describe of pipelines.py.
func describe(e *Encoding) string {
	var b strings.Builder
	numbers := func(values []int32) {
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(int(v)))
		}
		b.WriteByte('|')
	}
	numbers(e.IDs)
	numbers(e.TypeIDs)
	for i, s := range e.CharOffsets {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(s.Start) + "-" + strconv.Itoa(s.End))
	}
	b.WriteByte('|')
	numbers(e.WordIDs)
	numbers(e.SpecialMask)
	numbers(e.AttentionMask)
	numbers(e.SequenceIDs)
	b.WriteString(strings.Join(e.Tokens, "\x1f"))
	return b.String()
}

// pipelineLines is lines of pipelines.py. Unless all are wanted, pairs of long texts that
// are truncated, which have thousands of windows, are left out: their line is empty.
func pipelineLines(p *Pipeline, texts []string, all bool) (lines []string) {
	for i, text := range texts {
		for _, o := range []EncodeOptions{{AddSpecial: true}, {}, {AddSpecial: true, Pair: []byte(texts[(i+1)%len(texts)])}} {
			if !all && p.Truncation() != nil && o.Pair != nil && len(text)+len(o.Pair) > 300 {
				lines = append(lines, "")
				continue
			}
			e, err := p.EncodeText([]byte(text), o)
			if err != nil {
				lines = append(lines, "error")
				continue
			}
			parts := []string{describe(e)}
			for _, w := range e.Overflowing {
				parts = append(parts, describe(w))
			}
			parts = append(parts, p.DecodeText(e.IDs, true), p.DecodeText(e.IDs, false))
			lines = append(lines, strings.Join(parts, "\x1e"))
		}
		var ids []string
		e, err := p.EncodeText([]byte(text), EncodeOptions{Allowed: NoSpecials()})
		if err != nil {
			lines = append(lines, "error")
			continue
		}
		for _, id := range e.IDs {
			ids = append(ids, strconv.Itoa(int(id)))
		}
		lines = append(lines, strings.Join(ids, ","))
	}
	return lines
}

// Every part that a file may have makes of every text what the original makes of it.
func TestPipelinesEqualTheOriginal(t *testing.T) {
	texts := pipelineTexts(t)
	f, err := os.Open("testdata/pipelines.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string]string{}
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		name, digests, _ := strings.Cut(scanner.Text(), " ")
		want[name] = digests
	}
	for _, path := range testkit.Cases(t, "testdata/pipelines", ".json") {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		tok, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		lines := pipelineLines(tok.(*Pipeline), texts, false)
		if len(want[name]) != 4*len(lines) {
			t.Errorf("%s: %d digests for %d lines", name, len(want[name])/4, len(lines))
			continue
		}
		wrong := 0
		for i, line := range lines {
			if i%4 == 3 || line == "" {
				continue // see TestTextForgesNoSpecialToken: the original forges some
			}
			sum := sha256.Sum256([]byte(line))
			if hex.EncodeToString(sum[:2]) != want[name][4*i:4*i+4] {
				if wrong++; wrong <= 3 {
					t.Errorf("%s, line %d (pipelines.py lines %s shows the original's), of %.60q:\n%.300q", name, i, path, texts[i/4], line)
				}
			}
		}
		if wrong > 3 {
			t.Errorf("%s: %d of %d lines differ", name, wrong, len(lines))
		}
	}
}

// No text makes a special token unless that was allowed, but the unknown one.
func TestTextForgesNoSpecialToken(t *testing.T) {
	texts := pipelineTexts(t)
	for _, path := range testkit.Cases(t, "testdata/pipelines", ".json") {
		tok, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		p := tok.(*Pipeline)
		var ids []int32
		for _, text := range texts {
			ids = p.Encode(ids[:0], []byte(text))
			for _, id := range ids {
				if piece := p.Piece(id); p.isSpecial(id) && piece != "[UNK]" && piece != "<unk>" {
					t.Fatalf("%s: %q makes the special token %q", path, text, piece)
				}
			}
			e, err := p.EncodeText([]byte(text), EncodeOptions{Allowed: NoSpecials(), Whole: true})
			if err != nil || !slices.Equal(e.IDs, ids) {
				t.Fatalf("%s: %q: Encode gives %v, EncodeText %v, %v", path, text, ids, e.IDs, err)
			}
		}
	}
}
