package normalize

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Form is one of Unicode's normal forms, UAX 15, with the data of Unicode 9.0:
// later code points are left as they are. There is no limit to the marks of one
// character.
type Form uint8

// The normal forms.
const (
	NFC Form = iota
	NFD
	NFKC
	NFKD
	numForms
)

func (f Form) composes() bool   { return f == NFC || f == NFKC }
func (f Form) compatible() bool { return f == NFKC || f == NFKD }

// Hangul syllables are composed by rule: L + V, LV + T.
const (
	hangulBase            = 0xAC00
	hangulL, hangulLCount = 0x1100, 19
	hangulV, hangulVCount = 0x1161, 21
	hangulT, hangulTCount = 0x11A7, 28 // hangulT itself is none
	hangulCount           = hangulLCount * hangulVCount * hangulTCount
)

// charInfo is what the forms need to know of a character.
type charInfo struct {
	class               uint8   // canonical combining class
	alters              [4]bool // by Form: it may change, or change with what stands before it
	joins               [4]bool // by Form: what stands before it may change with it
	canonical, compared []rune  // full decompositions, nil where there is none
}

// unicodeTable holds the data of one Unicode version.
type unicodeTable struct {
	index    *pages[uint16] // into infos
	infos    []charInfo     // 0: a character that nothing happens to
	composed map[[2]rune]rune
}

var (
	unicode9  = sync.OnceValue(func() *unicodeTable { return newUnicodeTable(true) })
	unicode15 = sync.OnceValue(func() *unicodeTable { return newUnicodeTable(false) })
)

func (t *unicodeTable) info(r rune) *charInfo { return &t.infos[t.index.get(r)] }

// newUnicodeTable reads unicodeText, if old only what Unicode 9.0 had.
func newUnicodeTable(old bool) *unicodeTable {
	t := &unicodeTable{index: newPages[uint16](), infos: make([]charInfo, 1), composed: map[[2]rune]rune{}}
	wholes := map[string]rune{} // canonical decompositions that compose again
	var order []rune
	for line := range lines(unicodeText) {
		line, later := strings.CutPrefix(line, "+")
		if later && old {
			continue
		}
		f := strings.Fields(line)
		r := hex(f[0])
		canonical, compared := runes(f[3]), runes(f[4])
		if compared == nil {
			compared = canonical
		}
		*t.index.at(r) = uint16(len(t.infos))
		t.infos = append(t.infos, charInfo{class: uint8(number(f[1])), canonical: canonical, compared: compared})
		if f[2] == "=" {
			wholes[string(canonical)] = r
			order = append(order, r)
		}
	}
	for _, r := range order {
		d := t.info(r).canonical
		first := d[0]
		if len(d) > 2 {
			first = wholes[string(d[:len(d)-1])]
		}
		t.composed[[2]rune{first, d[len(d)-1]}] = r
	}
	t.mark(wholes)
	return t
}

// mark fills in alters and joins, and gives the Hangul an info.
func (t *unicodeTable) mark(wholes map[string]rune) {
	second := map[rune]bool{}
	for pair := range t.composed {
		second[pair[1]] = true
		if t.index.get(pair[1]) == 0 {
			*t.index.at(pair[1]) = uint16(len(t.infos))
			t.infos = append(t.infos, charInfo{})
		}
	}
	for page := range t.index.index {
		for low := range rune(256) {
			r := rune(page)<<8 | low
			if n := t.index.get(r); n > 0 {
				t.markRune(&t.infos[n], r, second, wholes)
			}
		}
	}
	syllable, jamo := uint16(len(t.infos)), uint16(len(t.infos)+1)
	t.infos = append(t.infos, charInfo{alters: [4]bool{NFD: true, NFKD: true}},
		charInfo{alters: [4]bool{NFC: true, NFKC: true}, joins: [4]bool{NFC: true, NFKC: true}})
	for r := rune(hangulBase); r < hangulBase+hangulCount; r++ {
		*t.index.at(r) = syllable
	}
	for r := rune(hangulV); r < hangulV+hangulVCount; r++ {
		*t.index.at(r) = jamo
	}
	for r := rune(hangulT + 1); r < hangulT+hangulTCount; r++ {
		*t.index.at(r) = jamo
	}
}

func (t *unicodeTable) markRune(c *charInfo, r rune, second map[rune]bool, wholes map[string]rune) {
	whole := c.canonical != nil && wholes[string(c.canonical)] == r
	for f := range numForms {
		d := c.canonical
		if f.compatible() {
			d = c.compared
		}
		c.alters[f] = c.class != 0 || d != nil
		first := r
		if d != nil {
			first = d[0]
		}
		c.joins[f] = t.info(first).class != 0
		if f.composes() {
			if whole && slices.Equal(d, c.canonical) {
				c.alters[f] = c.class != 0
			}
			c.alters[f] = c.alters[f] || second[r]
			c.joins[f] = c.joins[f] || second[first] || hangulV <= first && first < hangulT+hangulTCount
		}
	}
}

func runes(s string) []rune {
	if s == "-" {
		return nil
	}
	var r []rune
	for word := range strings.SplitSeq(s, ",") {
		r = append(r, hex(word))
	}
	return r
}

// compose returns the character that a and b make together.
func (t *unicodeTable) compose(a, b rune) (rune, bool) {
	if l, v := a-hangulL, b-hangulV; 0 <= l && l < hangulLCount && 0 <= v && v < hangulVCount {
		return hangulBase + (l*hangulVCount+v)*hangulTCount, true
	}
	if s, u := a-hangulBase, b-hangulT; 0 <= s && s < hangulCount && s%hangulTCount == 0 && 0 < u && u < hangulTCount {
		return a + u, true
	}
	r, ok := t.composed[[2]rune{a, b}]
	return r, ok
}

// item is a character of a normal form in the making; change is as in Aligned.put.
type item struct {
	r      rune
	change int32
	class  uint8
}

// decompose appends the decomposition of r.
func (t *unicodeTable) decompose(f Form, items []item, r rune) []item {
	if s := r - hangulBase; 0 <= s && s < hangulCount {
		items = append(items, item{r: hangulL + s/(hangulVCount*hangulTCount)}, item{r: hangulV + s/hangulTCount%hangulVCount, change: 1})
		if s%hangulTCount != 0 {
			items = append(items, item{r: hangulT + s%hangulTCount, change: 1})
		}
		return items
	}
	c := t.info(r)
	d := c.canonical
	if f.compatible() {
		d = c.compared
	}
	if d == nil {
		return append(items, item{r: r, class: c.class})
	}
	for i, part := range d {
		items = append(items, item{r: part, class: t.info(part).class, change: int32(min(i, 1))})
	}
	return items
}

// finish brings decomposed items into canonical order and composes them, in
// place.
func (t *unicodeTable) finish(f Form, items []item) []item {
	for i := 0; i < len(items); i++ {
		if items[i].class == 0 {
			continue
		}
		end := i + 1
		for end < len(items) && items[end].class != 0 {
			end++
		}
		if end > i+1 {
			slices.SortStableFunc(items[i:end], func(a, b item) int { return int(a.class) - int(b.class) })
		}
		i = end
	}
	if !f.composes() {
		return items
	}
	out := items[:0]
	starter, last := -1, -1 // last: the class of the mark before, -1 where the starter is
	for _, it := range items {
		if starter >= 0 && last < int(it.class) {
			if r, ok := t.compose(out[starter].r, it.r); ok {
				out[starter].r = r
				out[starter].change += it.change - 1
				continue
			}
		}
		switch {
		case it.class == 0:
			starter, last = len(out), -1
		case starter >= 0:
			last = int(it.class)
		}
		out = append(out, it)
	}
	return out
}

// walker goes through a text in turns: a stretch that stays as it is, then the
// characters that take the place of the next ones.
type walker struct {
	form  Form
	table *unicodeTable
	src   []byte
	pos   int
	least int // 0: a stretch is next; else pos is within characters that change, at least to least
	buf   [32]item
}

// next does one turn: src[lo:hi] stays, items follow.
func (w *walker) next() (lo, hi int, items []item, ok bool) {
	if w.pos == len(w.src) {
		return 0, 0, nil, false
	}
	lo, hi = w.pos, w.pos
	if w.least == 0 {
		if hi = w.stretch(); hi == len(w.src) {
			return lo, hi, nil, true
		}
	}
	items = w.buf[:0]
	for w.pos < len(w.src) {
		r, n := decode(w.src[w.pos:])
		if c := w.table.info(r); w.pos >= w.least && len(items) > 0 && !c.joins[w.form] {
			if !c.alters[w.form] {
				w.least = 0
			}
			break
		}
		items = w.table.decompose(w.form, items, r)
		w.pos += n
	}
	return lo, hi, w.table.finish(w.form, items), true
}

// stretch moves pos over what stays as it is, whatever follows.
func (w *walker) stretch() int {
	prev := -1
	for i := w.pos; i < len(w.src); {
		if w.src[i] < utf8.RuneSelf {
			prev = i
			i++
			continue
		}
		r, n := decode(w.src[i:])
		c := w.table.info(r)
		if c.alters[w.form] {
			w.pos, w.least = i, i+n
			if prev >= 0 && c.joins[w.form] {
				w.pos = prev
			}
			return w.pos
		}
		prev = i
		i += n
	}
	w.pos = len(w.src)
	return w.pos
}

// Append implements Normalizer.
func (f Form) Append(dst, src []byte) []byte { return f.appendWith(unicode9(), dst, src) }

func (f Form) appendWith(t *unicodeTable, dst, src []byte) []byte {
	w := walker{form: f, table: t, src: src}
	for {
		lo, hi, items, ok := w.next()
		if !ok {
			return dst
		}
		dst = append(dst, src[lo:hi]...)
		for _, it := range items {
			dst = appendRune(dst, it.r)
		}
	}
}

// Align implements Normalizer.
func (f Form) Align(a *Aligned) {
	a.begin()
	w := walker{form: f, table: unicode9(), src: a.oldText}
	for {
		lo, hi, items, ok := w.next()
		if !ok {
			return
		}
		a.keep(hi - lo)
		for _, it := range items {
			a.putRune(it.r, int(it.change))
		}
	}
}
