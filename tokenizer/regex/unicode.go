package regex

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// unicodeTable lists the characters of each property, a line each; testdata/unicode.py
// writes it.
//
//go:embed unicode.txt
var unicodeTable string

// properties finds the line of a property by its loose name. Scripts and categories
// have no name in common.
var properties = sync.OnceValue(func() map[string]string {
	lines := map[string]string{}
	for line := range strings.Lines(unicodeTable) {
		name, ranges, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		lines[looseName(name)] = ranges
	}
	return lines
})

// looseName is how names of properties are compared: without regard to case, spaces,
// underscores and hyphens.
func looseName(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
}

// longNames are other names of what unicodeTable has and of unions below.
var longNames = map[string]string{
	"letter": "l", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt", "casedletter": "lc",
	"modifierletter": "lm", "otherletter": "lo", "mark": "m", "combiningmark": "m", "nonspacingmark": "mn",
	"spacingmark": "mc", "enclosingmark": "me", "number": "n", "decimalnumber": "nd", "letternumber": "nl",
	"othernumber": "no", "punctuation": "p", "connectorpunctuation": "pc", "dashpunctuation": "pd",
	"openpunctuation": "ps", "closepunctuation": "pe", "initialpunctuation": "pi", "finalpunctuation": "pf",
	"otherpunctuation": "po", "symbol": "s", "mathsymbol": "sm", "currencysymbol": "sc", "modifiersymbol": "sk",
	"othersymbol": "so", "separator": "z", "spaceseparator": "zs", "lineseparator": "zl", "paragraphseparator": "zp",
	"other": "c", "control": "cc", "format": "cf", "privateuse": "co", "surrogate": "cs", "unassigned": "cn",
	"alpha": "alphabetic", "upper": "uppercase", "lower": "lowercase", "space": "whitespace", "digit": "nd",
	"cntrl": "cc", "punct": "p", "emod": "emojimodifier", "ebase": "emojimodifierbase", "ecomp": "emojicomponent",
	"epres": "emojipresentation", "extpict": "extendedpictographic", "ideo": "ideographic",
	"arab": "arabic", "armn": "armenian", "beng": "bengali", "cyrl": "cyrillic", "deva": "devanagari", "ethi": "ethiopic",
	"geor": "georgian", "grek": "greek", "gujr": "gujarati", "guru": "gurmukhi", "hani": "han", "hang": "hangul",
	"hebr": "hebrew", "hira": "hiragana", "kana": "katakana", "khmr": "khmer", "knda": "kannada", "laoo": "lao",
	"latn": "latin", "mlym": "malayalam", "mong": "mongolian", "mymr": "myanmar", "sinh": "sinhala", "taml": "tamil",
	"telu": "telugu", "tibt": "tibetan", "zyyy": "common", "zinh": "inherited",
}

// unions are the properties that others make up.
var unions = map[string]string{
	"l": "lu ll lt lm lo", "lc": "lu ll lt", "m": "mn mc me", "n": "nd nl no", "p": "pc pd ps pe pi pf po",
	"s": "sm sc sk so", "z": "zs zl zp", "assigned": "l m n p s z cc cf co", "c": "cc cf co cn cs",
	"posixpunct": "p s", "alnum": "alphabetic nd",
}

// propertySet returns the characters of a property.
func propertySet(name string, d dialect) (s set, ok bool) {
	return looseProperty(looseName(name), d)
}

func looseProperty(name string, d dialect) (s set, ok bool) {
	if short, ok := longNames[name]; ok {
		name = short
	}
	if parts, ok := unions[name]; ok {
		for _, part := range strings.Fields(parts) {
			more, _ := looseProperty(part, d)
			s = append(s, more...)
		}
		return newSet(s...), true
	}
	switch name {
	case "any":
		return set{0, unicode.MaxRune}, true
	case "ascii":
		return set{0, unicode.MaxASCII}, true
	case "cs":
		return set{0xD800, 0xDFFF}, true // which UTF-8 cannot hold
	case "cn":
		return without("assigned", set{0xD800, 0xDFFF}), true
	case "graph":
		return without("whitespace", without("assigned").with(property("cc")).with(set{0xD800, 0xDFFF})), true
	case "print":
		return property("graph").with(property("zs")), true
	case "blank":
		return property("zs").with(oneChar('\t')), true
	case "xdigit", "asciihexdigit":
		return newSet('0', '9', 'A', 'F', 'a', 'f'), true
	case "rustwordmore", "rustwordless", "fold":
		return nil, false
	case "word":
		s = tableSet(name)
		if d == rust {
			s = s.with(tableSet("rustwordmore")).and(tableSet("rustwordless").complement())
		}
		return s, true
	}
	if _, ok := properties()[name]; !ok {
		return nil, false
	}
	return tableSet(name), true
}

// property is looseProperty for names that are there.
func property(name string) set {
	s, _ := looseProperty(name, oniguruma)
	return s
}

// without returns all characters that neither a property nor the sets have; a byte
// that is not UTF-8 is not among them.
func without(name string, others ...set) set {
	s := slices.Clone(property(name))
	for _, o := range others {
		s = append(s, o...)
	}
	return newSet(append(s, invalid, invalid)...).complement()
}

// tableSet reads a line of unicodeTable.
func tableSet(name string) set {
	ranges := properties()[name]
	s := make(set, 0, 2*strings.Count(ranges, " ")+2)
	for r := range strings.FieldsSeq(ranges) {
		low, high, ok := strings.Cut(r, "-")
		if !ok {
			high = low
		}
		s = append(s, hexRune(low), hexRune(high))
	}
	return s
}

func hexRune(digits string) rune {
	n, err := strconv.ParseUint(digits, 16, 21)
	if err != nil {
		panic("regex: unicode.txt: " + err.Error())
	}
	return rune(n)
}

// posix returns the class [:name:], nil if there is none.
func (p *parser) posix(name string) set {
	if p.dialect == rust {
		return asciiClass(name)
	}
	switch name {
	case "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "space", "upper", "xdigit", "word":
		return property(name)
	case "punct":
		return property("posixpunct")
	}
	return nil
}

// asciiClass is what [:name:] is in Rust.
func asciiClass(name string) set {
	switch name {
	case "ascii":
		return set{0, 0x7F}
	case "alpha", "alnum", "blank", "cntrl", "digit", "graph", "lower", "print", "upper", "xdigit":
		return property(name).and(set{0, 0x7F})
	case "space":
		return newSet('\t', '\r', ' ', ' ')
	case "punct":
		return property("posixpunct").and(set{0, 0x7F})
	case "word":
		return newSet('0', '9', 'A', 'Z', '_', '_', 'a', 'z')
	}
	return nil
}

// perl returns the class \s, \d, \w or \h.
func (p *parser) perl(name string) set {
	s, _ := looseProperty(name, p.dialect)
	return s
}

// multiFold is a character whose case folding is several.
type multiFold struct {
	char rune
	full string
}

// multiFolds lists them.
var multiFolds = sync.OnceValue(func() (list []multiFold) {
	for line := range strings.Lines(unicodeTable) {
		rest, ok := strings.CutPrefix(line, "fold ")
		if !ok {
			continue
		}
		var chars []rune
		for _, digits := range strings.Fields(rest) {
			chars = append(chars, hexRune(digits))
		}
		list = append(list, multiFold{chars[0], string(chars[1:])})
	}
	return list
})

// lowerOf returns the lower case of a set that is one character in all its cases.
func lowerOf(s set) rune {
	if len(s) == 0 {
		return 0
	}
	return unicode.ToLower(s[0])
}
