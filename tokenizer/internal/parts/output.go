package parts

// Spelling says how characters without a piece are written.
type Spelling struct {
	// Unknown is the id of the unknown piece, -1 if there is none.
	Unknown int32
	// ByteFallback writes Bytes instead of it.
	ByteFallback bool
	// Bytes are the ids of the pieces <0x00> to <0xFF>, -1 where there is none.
	Bytes [256]int32
	// Fuse takes unknown characters that follow one another as one.
	Fuse bool
	// Names, if it is not nil, are looked up before: the text may be a piece as a
	// whole.
	Names map[string]int32
}

// ByteOf is the byte that a piece such as <0x0A> spells.
func ByteOf(piece string) (b byte, ok bool) {
	const digits = "0123456789ABCDEF"
	if len(piece) != 6 || piece[:3] != "<0x" || piece[5] != '>' {
		return 0, false
	}
	for _, c := range []byte(piece[3:5]) {
		d := 0
		for d < len(digits) && digits[d] != c {
			d++
		}
		if d == len(digits) {
			return 0, false
		}
		b = b<<4 | byte(d)
	}
	return b, true
}

// Output collects the ids of Text, and where they end if WantEnds is set. The ids of
// bytes of one unknown character, or of several that are fused, have one end.
type Output struct {
	*Spelling
	Text     []byte
	IDs      []int32
	Ends     []int
	WantEnds bool

	Pos     int // text before it was put
	pending int // where unknown characters begin that are not written yet, plus 1
}

// PutSlot puts the pieces of a slot.
func (o *Output) PutSlot(c *Cache, s *Slot) {
	ids, sizes := c.Pieces(s)
	if !s.Plain {
		for i, id := range ids {
			o.Put(id, int(sizes[i]))
		}
		return
	}
	o.Flush()
	o.IDs = append(o.IDs, ids...)
	if !o.WantEnds {
		o.Pos += int(s.Length)
		return
	}
	for _, n := range sizes {
		o.Pos += int(n)
		o.Ends = append(o.Ends, o.Pos)
	}
}

// Put puts a piece of n bytes; an unknown character has id -1 or Unknown.
func (o *Output) Put(id int32, n int) {
	if id >= 0 && id != o.Unknown {
		o.Flush()
		o.Pos += n
		o.write(id)
		return
	}
	if !o.Fuse {
		o.Flush()
	}
	if o.pending == 0 {
		o.pending = o.Pos + 1
	}
	o.Pos += n
}

func (o *Output) write(id int32) {
	o.IDs = append(o.IDs, id)
	if o.WantEnds {
		o.Ends = append(o.Ends, o.Pos)
	}
}

// Flush writes the unknown characters that were put last. It is called at the end
// of the text.
func (o *Output) Flush() {
	if o.pending == 0 {
		return
	}
	text := o.Text[o.pending-1 : o.Pos]
	o.pending = 0
	if id, ok := o.Names[string(text)]; ok {
		o.write(id)
		return
	}
	if o.ByteFallback && o.spells(text) {
		for _, b := range text {
			o.write(o.Bytes[b])
		}
		return
	}
	if o.Unknown >= 0 {
		o.write(o.Unknown)
	}
}

func (o *Output) spells(text []byte) bool {
	for _, b := range text {
		if o.Bytes[b] < 0 {
			return false
		}
	}
	return true
}
