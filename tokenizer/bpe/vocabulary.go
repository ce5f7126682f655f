package bpe

import "hash/maphash"

// Vocabulary holds pieces, as they are written, by id and by writing. All pieces
// lie in one slice and the index is a table of ids, so that a vocabulary takes
// about as much memory as its file. It is safe for concurrent use while nothing is
// added.
type Vocabulary struct {
	text  []byte   // the pieces, one after another
	ends  []uint32 // where each ends
	table []int32  // id+1 by hash, open addressing; 0 is free
	seed  maphash.Seed

	longest int // bytes of the longest piece
}

// NewVocabulary makes room for pieces with size bytes of text in all.
func NewVocabulary(pieces, size int) *Vocabulary {
	return &Vocabulary{
		text:  make([]byte, 0, size),
		ends:  make([]uint32, 0, pieces),
		table: make([]int32, tableSize(pieces)),
		seed:  maphash.MakeSeed(),
	}
}

// tableSize is the power of two that leaves at least a quarter of a table free.
func tableSize(entries int) int {
	size := 4
	for size*3 < entries*4 {
		size *= 2
	}
	return size
}

// Size is the number of pieces.
func (v *Vocabulary) Size() int { return len(v.ends) }

// Piece returns the writing of an id.
func (v *Vocabulary) Piece(id int32) []byte {
	start := uint32(0)
	if id > 0 {
		start = v.ends[id-1]
	}
	return v.text[start:v.ends[id]]
}

// find returns the slot where piece is or would be.
func (v *Vocabulary) find(piece []byte) int {
	mask := len(v.table) - 1
	for slot := int(maphash.Bytes(v.seed, piece)) & mask; ; slot = (slot + 1) & mask {
		id := v.table[slot] - 1
		if id < 0 || string(v.Piece(id)) == string(piece) {
			return slot
		}
	}
}

// ID looks a piece up.
func (v *Vocabulary) ID(piece []byte) (int32, bool) {
	id := v.table[v.find(piece)] - 1
	return id, id >= 0
}

// find1 looks a piece up; -1 stands for none.
func (v *Vocabulary) find1(piece []byte) int32 { return v.table[v.find(piece)] - 1 }

// Skip leaves the next id without a piece: some files have gaps. Piece gives "" for
// it, and no text has it.
func (v *Vocabulary) Skip() {
	if len(v.ends) == cap(v.ends) {
		panic("bpe: Vocabulary: Skip: more pieces than there is room for")
	}
	v.ends = append(v.ends, uint32(len(v.text)))
}

// Add gives a piece the next id, in the room that was made for it. It reports
// false, and does nothing, if the piece is there already.
func (v *Vocabulary) Add(piece []byte) bool {
	slot := v.find(piece)
	if v.table[slot] != 0 {
		return false
	}
	if len(v.ends) == cap(v.ends) {
		panic("bpe: Vocabulary: Add: more pieces than there is room for")
	}
	v.text = append(v.text, piece...)
	v.ends = append(v.ends, uint32(len(v.text)))
	v.table[slot] = int32(len(v.ends))
	v.longest = max(v.longest, len(piece))
	return true
}
