package vocab

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Trimmed says what Trim left, and how ids change: the row of the new embedding at
// i is the old row Kept[i].
type Trimmed struct {
	OldSize int32   `json:"old_size"`
	NewSize int32   `json:"new_size"`
	Removed []Piece `json:"removed"`
	Kept    []int32 `json:"kept"`
}

// Trim leaves out of a BPE tokenizer the pieces that used says nobody needs, and
// numbers the others again in their order. Added tokens stay, and so does what a
// piece that stays is made of.
func (d *Document) Trim(used func(id int32) bool) (*Trimmed, error) {
	if err := d.wantBPE("trim"); err != nil {
		return nil, err
	}
	if d.prefix() != "" {
		return nil, fmt.Errorf("trim: a BPE model with a continuing_subword_prefix cannot be trimmed")
	}
	keep := map[string]bool{}
	made := map[string]bool{}
	for _, m := range d.Merges {
		made[m[0]+m[1]] = true
	}
	for piece, id := range d.IDs {
		keep[piece] = used(id) || !made[piece] // the alphabet stays: any text can be encoded
	}
	for _, a := range d.Added {
		keep[a.Content] = true
	}
	// A merge stands behind those that make its parts, in most files; the others
	// take another turn.
	for again := true; again; {
		again = false
		for _, m := range slices.Backward(d.Merges) {
			if keep[m[0]+m[1]] && !(keep[m[0]] && keep[m[1]]) {
				keep[m[0]], keep[m[1]], again = true, true, true
			}
		}
	}
	return d.remove(keep), nil
}

// remove leaves out pieces that are not kept, with their merges, and numbers again.
func (d *Document) remove(keep map[string]bool) *Trimmed {
	t := &Trimmed{OldSize: d.Size(), Removed: []Piece{}, Kept: []int32{}}
	names := map[int32]string{}
	for piece, id := range d.IDs {
		names[id] = piece
	}
	for _, a := range d.Added {
		names[a.ID] = a.Content
	}
	ids := map[int32]int32{}
	for id := range t.OldSize {
		name, ok := names[id]
		switch {
		case !ok: // a hole
		case keep[name]:
			ids[id] = int32(len(t.Kept))
			t.Kept = append(t.Kept, id)
		default:
			t.Removed = append(t.Removed, Piece{id, name})
			delete(d.IDs, name)
		}
	}
	for piece, id := range d.IDs {
		d.IDs[piece] = ids[id]
	}
	for i := range d.Added {
		d.Added[i].ID = ids[d.Added[i].ID]
	}
	d.Merges = slices.DeleteFunc(d.Merges, func(m [2]string) bool { return !keep[m[0]] || !keep[m[1]] || !keep[m[0]+m[1]] })
	d.renumberProcessor(ids)
	t.NewSize = int32(len(t.Kept))
	return t
}

// renumberProcessor renumbers the ids that stand elsewhere in the file: in the
// post-processor (lists called ids, pairs called sep and cls) and the padding.
func (d *Document) renumberProcessor(ids map[int32]int32) {
	for _, part := range []string{"post_processor", "padding"} {
		raw := d.root.get(part)
		if raw == nil {
			continue
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			continue // it was parsed as JSON before; what it means is checked when it is loaded
		}
		d.root.set(part, renumber(value, "", ids))
	}
}

func renumber(value any, key string, ids map[int32]int32) any {
	switch v := value.(type) {
	case map[string]any:
		for k := range v {
			v[k] = renumber(v[k], k, ids)
		}
	case []any:
		for i := range v {
			if _, number := v[i].(float64); number && (key == "ids" || key == "sep" || key == "cls") {
				v[i] = renumber(v[i], "pad_id", ids)
				continue
			}
			v[i] = renumber(v[i], "", ids)
		}
	case float64:
		if id, ok := ids[int32(v)]; ok && key == "pad_id" {
			return id
		}
	}
	return value
}
