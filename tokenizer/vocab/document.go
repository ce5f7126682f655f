// Package vocab looks at vocabularies and changes them: statistics on a corpus,
// merging, growing and trimming, differences, and conversion with a proof that ids
// stay the same.
//
// The command codexml tokenizer calls it; it is a library like tokenizer, which it
// builds on. Changes are made to the text of a tokenizer.json, of which everything
// that is not changed stays as it is. Functions keep no state and are deterministic;
// a Document belongs to one goroutine.
package vocab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// member is a key of a JSON object with its value.
type member struct {
	key   string
	value json.RawMessage
}

// object is a JSON object that keeps its order.
type object []member

// UnmarshalJSON implements json.Unmarshaler. A key that is there twice is an error.
func (o *object) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("want an object, got %v", open)
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		m := member{key: key.(string)}
		if seen[m.key] {
			return fmt.Errorf("%q is there twice", m.key)
		}
		seen[m.key] = true
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(appendJSON(out, m.key), ':'), m.value...)
	}
	return append(out, '}'), nil
}

func (o object) get(key string) json.RawMessage {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

func (o *object) set(key string, value any) {
	raw := json.RawMessage(appendJSON(nil, value))
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].value = raw
			return
		}
	}
	*o = append(*o, member{key, raw})
}

// appendJSON appends value, which can be marshalled, as it is: no HTML escapes.
func appendJSON(out []byte, value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("vocab: appendJSON: " + err.Error())
	}
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// Added is an added token of a tokenizer.json.
type Added struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// Document is a tokenizer.json whose vocabulary can be changed.
type Document struct {
	Type   string           // of the model: BPE, WordPiece, WordLevel, Unigram
	IDs    map[string]int32 // of the model's pieces
	Merges [][2]string      // of BPE, in order
	Added  []Added

	root, model object
	scores      []json.RawMessage // of Unigram, by id
	joined      bool              // merges are written as one string
}

// ParseDocument reads a tokenizer.json; name stands for it in errors.
func ParseDocument(name string, data []byte) (*Document, error) {
	d := &Document{IDs: map[string]int32{}}
	err := d.parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

func (d *Document) parse(data []byte) error {
	if err := json.Unmarshal(data, &d.root); err != nil {
		return fmt.Errorf("want a tokenizer.json: %w", err)
	}
	raw := d.root.get("model")
	if raw == nil {
		return fmt.Errorf("model: it is missing: want a tokenizer.json")
	}
	if err := json.Unmarshal(raw, &d.model); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if added := d.root.get("added_tokens"); added != nil {
		if err := json.Unmarshal(added, &d.Added); err != nil {
			return fmt.Errorf("added_tokens: %w", err)
		}
	}
	if t := d.model.get("type"); t != nil {
		if err := json.Unmarshal(t, &d.Type); err != nil {
			return fmt.Errorf("model.type: %w", err)
		}
	} else if d.model.get("merges") != nil {
		d.Type = "BPE" // old files do not say
	}
	if err := d.parseVocabulary(); err != nil {
		return fmt.Errorf("model.vocab: %w", err)
	}
	if err := d.parseMerges(); err != nil {
		return fmt.Errorf("model.merges: %w", err)
	}
	return nil
}

func (d *Document) parseVocabulary() error {
	raw := d.model.get("vocab")
	if d.Type == "Unigram" {
		var pieces [][2]json.RawMessage
		if err := json.Unmarshal(raw, &pieces); err != nil {
			return err
		}
		for i, p := range pieces {
			var piece string
			if err := json.Unmarshal(p[0], &piece); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
			if first, ok := d.IDs[piece]; ok {
				return fmt.Errorf("%d: %q is there already, at %d", i, piece, first)
			}
			d.IDs[piece] = int32(i)
			d.scores = append(d.scores, p[1])
		}
		return nil
	}
	if err := json.Unmarshal(raw, &d.IDs); err != nil {
		return err
	}
	seen := map[int32]string{}
	for piece, id := range d.IDs {
		if other, ok := seen[id]; ok {
			return fmt.Errorf("%q and %q have one id, %d", min(piece, other), max(piece, other), id)
		}
		seen[id] = piece
	}
	return nil
}

func (d *Document) parseMerges() error {
	raw := d.model.get("merges")
	if raw == nil {
		return nil
	}
	if json.Unmarshal(raw, &d.Merges) == nil {
		return nil
	}
	d.joined, d.Merges = true, nil
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return err
	}
	for i, line := range lines {
		left, right, ok := strings.Cut(line, " ")
		if !ok {
			return fmt.Errorf("%d: want two pieces and a space between them, got %q", i, line)
		}
		d.Merges = append(d.Merges, [2]string{left, right})
	}
	return nil
}

// wantBPE is an error where the model is another one.
func (d *Document) wantBPE(what string) error {
	if d.Type != "BPE" {
		return fmt.Errorf("%s: want a BPE model, got %s: train the other models again instead", what, d.Type)
	}
	return nil
}

// Size is the number of ids: one more than the highest.
func (d *Document) Size() int32 {
	size := int32(0)
	for _, id := range d.IDs {
		size = max(size, id+1)
	}
	for _, a := range d.Added {
		size = max(size, a.ID+1)
	}
	return size
}

// Bytes writes the document, as one that is indented by two spaces.
func (d *Document) Bytes() []byte {
	root, model := append(object(nil), d.root...), append(object(nil), d.model...)
	pieces := d.byID()
	if d.Type == "Unigram" {
		vocab := []json.RawMessage{}
		for i, p := range pieces {
			vocab = append(vocab, appendJSON(nil, [2]any{p.Piece, d.scores[i]}))
		}
		model.set("vocab", vocab)
	} else {
		vocab := object{}
		for _, p := range pieces {
			vocab = append(vocab, member{p.Piece, appendJSON(nil, p.ID)})
		}
		model.set("vocab", vocab)
	}
	if d.Type == "BPE" {
		model.set("merges", d.mergesJSON())
	}
	root.set("added_tokens", append([]Added{}, d.Added...))
	root.set("model", model)
	var out bytes.Buffer
	if err := json.Indent(&out, appendJSON(nil, root), "", "  "); err != nil {
		panic("vocab: Bytes: " + err.Error())
	}
	return out.Bytes()
}

func (d *Document) mergesJSON() any {
	if !d.joined {
		return append([][2]string{}, d.Merges...)
	}
	lines := []string{}
	for _, m := range d.Merges {
		lines = append(lines, m[0]+" "+m[1])
	}
	return lines
}
