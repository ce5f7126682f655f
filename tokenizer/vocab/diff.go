package vocab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Piece is a piece with its id.
type Piece struct {
	ID    int32  `json:"id"`
	Piece string `json:"piece"`
}

// byID lists the model's pieces in the order of their ids.
func (d *Document) byID() []Piece {
	pieces := make([]Piece, 0, len(d.IDs))
	for piece, id := range d.IDs {
		pieces = append(pieces, Piece{id, piece})
	}
	slices.SortFunc(pieces, func(a, b Piece) int { return cmp.Compare(a.ID, b.ID) })
	return pieces
}

// all is the ids of pieces and of added tokens.
func (d *Document) all() map[string]int32 {
	all := map[string]int32{}
	for piece, id := range d.IDs {
		all[piece] = id
	}
	for _, a := range d.Added {
		all[a.Content] = a.ID
	}
	return all
}

// Moved is a piece that two tokenizers give different ids.
type Moved struct {
	Piece string `json:"piece"`
	A     int32  `json:"a"`
	B     int32  `json:"b"`
}

// Difference is what tells two tokenizers apart.
type Difference struct {
	Same        bool     `json:"same"`
	OnlyA       []Piece  `json:"only_a"`
	OnlyB       []Piece  `json:"only_b"`
	Moved       []Moved  `json:"moved"`
	SpecialsA   []Piece  `json:"specials_only_a"`
	SpecialsB   []Piece  `json:"specials_only_b"`
	FirstMerge  int      `json:"first_merge"` // the first merge that differs, -1 for none
	MergesA     int      `json:"merges_a"`
	MergesB     int      `json:"merges_b"`
	Parts       []string `json:"parts"` // of the file that differ: normalizer, pre_tokenizer...
	CommonCount int      `json:"common"`
}

// Diff compares two tokenizers.
func Diff(a, b *Document) Difference {
	d := Difference{FirstMerge: -1, MergesA: len(a.Merges), MergesB: len(b.Merges), OnlyA: []Piece{}, OnlyB: []Piece{}, Moved: []Moved{}, Parts: []string{}}
	d.SpecialsA, d.SpecialsB = specialsOnly(a, b), specialsOnly(b, a)
	allA, allB := a.all(), b.all()
	for piece, id := range allA {
		other, ok := allB[piece]
		switch {
		case !ok:
			d.OnlyA = append(d.OnlyA, Piece{id, piece})
		case id != other:
			d.Moved = append(d.Moved, Moved{piece, id, other})
		default:
			d.CommonCount++
		}
	}
	for piece, id := range allB {
		if _, ok := allA[piece]; !ok {
			d.OnlyB = append(d.OnlyB, Piece{id, piece})
		}
	}
	byID := func(a, b Piece) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(d.OnlyA, byID)
	slices.SortFunc(d.OnlyB, byID)
	slices.SortFunc(d.Moved, func(a, b Moved) int { return cmp.Compare(a.A, b.A) })
	for i := range max(len(a.Merges), len(b.Merges)) {
		if i >= len(a.Merges) || i >= len(b.Merges) || a.Merges[i] != b.Merges[i] {
			d.FirstMerge = i
			break
		}
	}
	d.Parts = differentParts(a, b)
	d.Same = len(d.OnlyA)+len(d.OnlyB)+len(d.Moved)+len(d.SpecialsA)+len(d.SpecialsB)+len(d.Parts) == 0 && d.FirstMerge < 0
	return d
}

// specialsOnly lists the special tokens of a that b lacks.
func specialsOnly(a, b *Document) []Piece {
	has := map[string]bool{}
	for _, s := range b.Added {
		has[s.Content] = has[s.Content] || s.Special
	}
	out := []Piece{}
	for _, s := range a.Added {
		if s.Special && !has[s.Content] {
			out = append(out, Piece{s.ID, s.Content})
		}
	}
	return out
}

// differentParts compares what is neither vocabulary nor added token: the parts of
// the file, and the model's options.
func differentParts(a, b *Document) []string {
	var out []string
	for _, prefix := range []string{"", "model."} {
		x, y := a.root, b.root
		if prefix != "" {
			x, y = a.model, b.model
		}
		var names []string
		for _, m := range append(append(object{}, x...), y...) {
			if !slices.Contains(names, m.key) {
				names = append(names, m.key)
			}
		}
		for _, name := range names {
			switch prefix + name {
			case "model", "added_tokens", "model.vocab", "model.merges":
				continue
			}
			if !sameJSON(x.get(name), y.get(name)) {
				out = append(out, prefix+name)
			}
		}
	}
	return append([]string{}, out...)
}

// sameJSON says whether two values are one, whatever the order of their keys. A
// key that is missing is null.
func sameJSON(a, b json.RawMessage) bool {
	return bytes.Equal(canonical(a), canonical(b))
}

func canonical(raw json.RawMessage) []byte {
	if raw == nil {
		return []byte("null")
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return raw
	}
	return appendJSON(nil, value)
}
