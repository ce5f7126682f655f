package vocab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Merged says what Merge added.
type Merged struct {
	Pieces   []Piece `json:"pieces"`
	Specials []Piece `json:"specials"`
	Merges   int     `json:"merges"`
}

// Merge adds to a tokenizer the pieces and added tokens of another that it lacks.
// No id changes: new ones follow the highest. Of BPE the merges that make new
// pieces are added behind its own, so that texts of the first data set mostly keep
// their ids; a new piece whose merges do not come with it is an error.
func (d *Document) Merge(other *Document) (Merged, error) {
	if d.Type != other.Type {
		return Merged{}, fmt.Errorf("merge vocabularies: the models are %s and %s, want one type", d.Type, other.Type)
	}
	if d.Type == "Unigram" {
		return Merged{}, fmt.Errorf("merge vocabularies: scores of two Unigram models do not compare: train one on both corpora")
	}
	out := Merged{Pieces: []Piece{}, Specials: []Piece{}}
	added := map[string]bool{}
	for _, a := range append(append([]Added{}, d.Added...), other.Added...) {
		added[a.Content] = true
	}
	all := d.all()
	next := d.Size()
	for _, p := range other.byID() {
		if _, ok := all[p.Piece]; ok || added[p.Piece] {
			continue
		}
		d.IDs[p.Piece], all[p.Piece] = next, next
		out.Pieces = append(out.Pieces, Piece{next, p.Piece})
		next++
	}
	known := map[[2]string]bool{}
	for _, m := range d.Merges {
		known[m] = true
	}
	for i, m := range other.Merges {
		if known[m] {
			continue
		}
		for _, piece := range []string{m[0], m[1], m[0] + m[1]} {
			if _, ok := d.IDs[piece]; !ok && d.prefix() == "" {
				return Merged{}, fmt.Errorf("merge vocabularies: merge %d of the second: piece %q is not in its vocabulary", i, piece)
			}
		}
		d.Merges = append(d.Merges, m)
		out.Merges++
	}
	out.Specials = d.AddSpecials(other.Added...)
	return out, nil
}

// prefix is BPE's continuing_subword_prefix.
func (d *Document) prefix() string {
	var prefix string
	if raw := d.model.get("continuing_subword_prefix"); raw != nil && json.Unmarshal(raw, &prefix) != nil {
		return string(raw) // no text: not one that merging knows
	}
	return prefix
}

// AddSpecials adds the tokens whose content is no added token yet, in the order of
// their ids, with the ids that follow the highest (that of the piece, where the
// model has one), and returns them.
func (d *Document) AddSpecials(tokens ...Added) []Piece {
	out := []Piece{}
	slices.SortStableFunc(tokens, func(a, b Added) int { return cmp.Compare(a.ID, b.ID) })
	has := map[string]bool{}
	for _, a := range d.Added {
		has[a.Content] = true
	}
	for _, a := range tokens {
		if a.Content == "" || has[a.Content] {
			continue
		}
		has[a.Content] = true
		id, ok := d.IDs[a.Content]
		if !ok {
			id = d.Size()
		}
		a.ID = id
		d.Added = append(d.Added, a)
		out = append(out, Piece{id, a.Content})
	}
	slices.SortStableFunc(d.Added, func(a, b Added) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
