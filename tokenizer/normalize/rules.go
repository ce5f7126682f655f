package normalize

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"unicode"
)

// Rules are the names of SentencePiece's normalisation rules.
func Rules() []string { return []string{"identity", "nfkc", "nfkc_cf", "nmt_nfkc", "nmt_nfkc_cf"} }

var builtRules [4]func() ([]byte, error)

func init() {
	for i, name := range Rules()[1:] {
		builtRules[i] = sync.OnceValues(func() ([]byte, error) { return buildRule(name) })
	}
}

// BuildCharsmap makes the precompiled charsmap of a rule, empty for identity. It
// maps every text as the map in SentencePiece's own models does; the bytes are not
// the same, for the trie is laid out otherwise. The result must not be written to.
func BuildCharsmap(rule string) ([]byte, error) {
	i := slices.Index(Rules(), rule)
	switch {
	case i < 0:
		return nil, fmt.Errorf("normalization_rule: want one of %v, got %q", Rules(), rule)
	case i == 0:
		return nil, nil
	}
	return builtRules[i-1]()
}

// mapping says what texts become.
type mapping map[string]string

func buildRule(rule string) ([]byte, error) {
	m := nfkcMapping(unicode15())
	if rule == "nmt_nfkc" || rule == "nmt_nfkc_cf" {
		m.addNmt()
	}
	if rule == "nfkc_cf" || rule == "nmt_nfkc_cf" {
		m.foldCase()
	}
	return m.withoutRedundant().compile()
}

// nfkcMapping maps every character, and every sequence of characters that NFKC
// composes, to its NFKC.
func nfkcMapping(t *unicodeTable) mapping {
	m := mapping{}
	variants := map[rune][]rune{} // what else decomposes to one character
	composites := map[string]bool{}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if t.index.get(r) == 0 {
			continue // it stays as it is
		}
		s := string(r)
		if to := t.form(NFKC, s); to != s {
			m[s] = to
		}
		d := t.form(NFKD, s)
		if one := []rune(d); len(one) != 1 {
			composites[d] = true
		} else if one[0] != r {
			variants[one[0]] = append(variants[one[0]], r)
		}
	}
	for d := range composites {
		to := t.form(NFKC, d)
		if to == d {
			continue
		}
		texts := []string{""}
		for _, part := range d {
			var longer []string
			for _, text := range texts {
				longer = append(longer, text+string(part))
				for _, v := range variants[part] {
					longer = append(longer, text+string(v))
				}
			}
			texts = longer
		}
		for _, text := range texts {
			if text != to {
				m[text] = to
			}
		}
	}
	return m.withoutRedundant()
}

func (t *unicodeTable) form(f Form, s string) string { return string(f.appendWith(t, nil, []byte(s))) }

// addNmt adds the rules of machine translation: white space and what cannot be
// seen are a space, control characters go. The full-width tilde stays: Japanese
// tells it from the other one.
func (m mapping) addNmt() {
	for _, r := range []rune{'\t', '\n', '\f', '\r', 0x061C, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD} {
		m[string(r)] = " "
	}
	for r := rune(1); r < 0x20; r++ {
		if r != '\t' && r != '\n' && r != '\f' && r != '\r' {
			m[string(r)] = ""
		}
	}
	for _, r := range []rune{0x7F, 0x8F, 0x9F} {
		m[string(r)] = ""
	}
	delete(m, "\uFF5E")
}

// foldCase folds the case of everything, character by character.
func (m mapping) foldCase() {
	for from, to := range m {
		folded := []rune(to)
		for i, r := range folded {
			folded[i] = foldRune(r)
		}
		m[from] = string(folded)
	}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if 0xD800 <= r && r < 0xE000 {
			continue
		}
		if _, ok := m[string(r)]; !ok && foldRune(r) != r {
			m[string(r)] = string(foldRune(r))
		}
	}
}

// foldRune is Unicode's simple case folding: the lower case of the upper case,
// except for Cherokee, which folds to the upper case. The upper case is that of
// Unicode 15: no later letter has a second lower case.
func foldRune(r rune) rune {
	upper := unicode.ToUpper(r)
	switch {
	case 0x13A0 <= upper && upper <= 0x13F5:
		return upper
	case r == dottedI || r == 0x131: // they fold in Turkish alone
		return r
	}
	return upper + characterTables().lower.get(upper)
}

// withoutRedundant leaves out rules that shorter ones make unnecessary.
func (m mapping) withoutRedundant() mapping {
	byLength := map[int][]string{}
	for from := range m {
		n := len([]rune(from))
		byLength[n] = append(byLength[n], from)
	}
	out := mapping{}
	for _, n := range slices.Sorted(maps.Keys(byLength)) {
		var add []string
		for _, from := range byLength[n] {
			if n == 1 || out.apply(from, n-1) != m[from] {
				add = append(add, from)
			}
		}
		for _, from := range add {
			out[from] = m[from]
		}
	}
	return out
}

// apply replaces the longest texts of at most longest characters, from left to
// right.
func (m mapping) apply(text string, longest int) string {
	src := []rune(text)
	var out []byte
next:
	for i := 0; i < len(src); {
		for n := min(longest, len(src)-i); n > 0; n-- {
			if to, ok := m[string(src[i:i+n])]; ok {
				out = append(out, to...)
				i += n
				continue next
			}
		}
		out = append(out, string(src[i])...)
		i++
	}
	return string(out)
}

// compile writes the charsmap.
func (m mapping) compile() ([]byte, error) {
	var texts []byte
	at := map[string]int{}
	for _, to := range slices.Sorted(maps.Values(m)) {
		if _, ok := at[to]; !ok {
			at[to] = len(texts)
			texts = append(append(texts, to...), 0)
		}
	}
	var entries []entry
	for from, to := range m {
		if from != to {
			entries = append(entries, entry{from, at[to]})
		}
	}
	trie, err := buildTrie(entries)
	if err != nil {
		return nil, err
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(4*len(trie)))
	for _, unit := range trie {
		out = binary.LittleEndian.AppendUint32(out, unit)
	}
	return append(out, texts...), nil
}
