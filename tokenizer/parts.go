package tokenizer

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// partType is a type of one kind of part: its name in files, and what reads it.
type partType[T any] struct {
	name string
	read func(r *fileReader) T
}

// readPart reads a part of one kind, the zero T for null. What is unknown is an error
// that names it.
func readPart[T any](r *fileReader, kind string, types []partType[T]) (part T) {
	if r.null() {
		return part
	}
	if r.depth++; r.depth > maxDepth {
		r.fail("parts nested deeper than %d", maxDepth)
		return part
	}
	defer func() { r.depth-- }()
	name := r.typeName()
	i := slices.IndexFunc(types, func(t partType[T]) bool { return t.name == name })
	if i < 0 {
		if r.err == nil {
			r.fail("the %s %q is unknown: want one of %s", kind, name, strings.Join(partNames(types), ", "))
		}
		return part
	}
	return types[i].read(r)
}

func partNames[T any](types []partType[T]) []string {
	var names []string
	for _, t := range types {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// part reads the fields of a part besides its type.
func (r *fileReader) part(known ...field) {
	r.fields(append(known, field{name: "type", read: func() { r.str() }})...)
}

// constant is a partType without fields.
func constant[T any](name string, value T) partType[T] {
	return partType[T]{name, func(r *fileReader) T { r.part(); return value }}
}

// pattern reads {"String": text} or {"Regex": expression}.
func (r *fileReader) pattern(p *filePattern) func() {
	return func() {
		r.fields(
			field{name: "String", read: func() { *p = literalPattern(r.string()) }},
			field{name: "Regex", read: func() {
				r.peek()
				start := r.pos
				text := r.string()
				if r.err != nil {
					return
				}
				compiled, err := compilePattern(text)
				if err != nil {
					r.pos = start
					r.fail("%v", err)
					return
				}
				*p = compiled
			}},
		)
		if r.err == nil && p.finder == nil {
			r.fail("the pattern is empty: want \"String\" or \"Regex\"")
		}
	}
}

func flag(r *fileReader, name string, value *bool, required bool) field {
	return field{name: name, read: func() { *value = r.bool() }, required: required}
}

// normalizerTypes are the normalisers of files.
func normalizerTypes() []partType[normalize.Normalizer] {
	type normalizer = normalize.Normalizer
	return []partType[normalizer]{
		constant("NFC", normalizer(normalize.NFC)),
		constant("NFD", normalizer(normalize.NFD)),
		constant("NFKC", normalizer(normalize.NFKC)),
		constant("NFKD", normalizer(normalize.NFKD)),
		constant("Lowercase", normalizer(normalize.Lowercase{})),
		constant("StripAccents", normalizer(normalize.StripAccents{})),
		constant("Nmt", normalizer(normalize.Nmt{})),
		constant("ByteLevel", normalizer(normalize.ByteLevel{})),
		{"Strip", func(r *fileReader) normalizer {
			var s normalize.Strip
			r.part(flag(r, "strip_left", &s.Left, true), flag(r, "strip_right", &s.Right, true))
			return s
		}},
		{"Prepend", func(r *fileReader) normalizer {
			var text string
			r.part(field{name: "prepend", read: func() { text = r.string() }, required: true})
			return normalize.Prepend(text)
		}},
		{"Replace", func(r *fileReader) normalizer {
			var p filePattern
			var content string
			r.part(field{name: "pattern", read: r.pattern(&p), required: true},
				field{name: "content", read: func() { content = r.string() }, required: true})
			return normalize.Replace{Pattern: p.finder, Content: content}
		}},
		{"BertNormalizer", readBertNormalizer},
		{"Precompiled", readPrecompiled},
		{"Sequence", func(r *fileReader) normalizer {
			var all normalize.Sequence
			r.part(field{name: "normalizers", required: true, read: func() {
				r.array(func() { all = append(all, readPart(r, "normalizer", normalizerTypes())) })
			}})
			if r.err == nil && slices.Contains(all, nil) {
				r.fail("a normalizer of a Sequence is null")
			}
			return all
		}},
	}
}

func readBertNormalizer(r *fileReader) normalize.Normalizer {
	b := normalize.Bert{CleanText: true, ChineseChars: true, Lowercase: true}
	strip := -1
	r.part(flag(r, "clean_text", &b.CleanText, false), flag(r, "handle_chinese_chars", &b.ChineseChars, false),
		flag(r, "lowercase", &b.Lowercase, false),
		field{name: "strip_accents", read: func() {
			if !r.null() {
				strip = 0
				if r.bool() {
					strip = 1
				}
			}
		}})
	b.StripAccents = strip == 1 || strip < 0 && b.Lowercase
	return b
}

func readPrecompiled(r *fileReader) normalize.Normalizer {
	var p *normalize.Precompiled
	r.part(field{name: "precompiled_charsmap", required: true, read: func() {
		r.peek()
		start := r.pos
		data, err := base64.StdEncoding.DecodeString(r.string())
		if r.err != nil {
			return
		}
		if err == nil {
			p, err = normalize.NewPrecompiled(data)
		}
		if err != nil {
			r.pos = start
			r.fail("%v", err)
		}
	}})
	return p
}

// preTokenizerTypes are the pre-tokenizers of files.
func preTokenizerTypes() []partType[pretokenize.PreTokenizer] {
	type cutter = pretokenize.PreTokenizer
	return []partType[cutter]{
		constant("Whitespace", cutter(pretokenize.Whitespace{})),
		constant("WhitespaceSplit", cutter(pretokenize.WhitespaceSplit{})),
		constant("BertPreTokenizer", cutter(pretokenize.Bert{})),
		constant("UnicodeScripts", cutter(pretokenize.UnicodeScripts{})),
		{"ByteLevel", func(r *fileReader) cutter {
			prefix, trim, cut := true, true, true
			r.part(flag(r, "add_prefix_space", &prefix, true), flag(r, "trim_offsets", &trim, false), flag(r, "use_regex", &cut, false))
			var all pretokenize.Sequence
			if prefix {
				all = append(all, pretokenize.PrefixSpace{})
			}
			if cut {
				all = append(all, gpt2Split())
			}
			return append(all, pretokenize.ByteAlphabet{})
		}},
		{"Metaspace", func(r *fileReader) cutter { return readMetaspace(r) }},
		{"CharDelimiterSplit", func(r *fileReader) cutter {
			var delimiter rune
			r.part(field{name: "delimiter", read: func() { delimiter = r.char() }, required: true})
			return pretokenize.CharDelimiterSplit(delimiter)
		}},
		{"Punctuation", func(r *fileReader) cutter {
			behavior := pretokenize.Isolated
			r.part(field{name: "behavior", read: r.behavior(&behavior)})
			return pretokenize.Punctuation{Behavior: behavior}
		}},
		{"Digits", func(r *fileReader) cutter {
			var d pretokenize.Digits
			r.part(flag(r, "individual_digits", &d.Individual, true))
			return d
		}},
		{"FixedLength", func(r *fileReader) cutter {
			length := 5
			r.part(field{name: "length", read: func() {
				if length = r.count(); length == 0 && r.err == nil {
					r.fail("the length of pieces is 0, want at least 1")
				}
			}})
			return pretokenize.FixedLength(length)
		}},
		{"Split", readSplit},
		{"Sequence", func(r *fileReader) cutter {
			var all pretokenize.Sequence
			r.part(field{name: "pretokenizers", required: true, read: func() {
				r.array(func() { all = append(all, readPart(r, "pre-tokenizer", preTokenizerTypes())) })
			}})
			if r.err == nil && slices.Contains(all, nil) {
				r.fail("a pre-tokenizer of a Sequence is null")
			}
			return all
		}},
	}
}

func (r *fileReader) behavior(b *pretokenize.Behavior) func() {
	return func() { *b = pretokenize.Behavior(r.oneOf(pretokenize.BehaviorNames()...)) }
}

func readSplit(r *fileReader) pretokenize.PreTokenizer {
	var p filePattern
	var s pretokenize.Split
	r.part(field{name: "pattern", read: r.pattern(&p), required: true},
		field{name: "behavior", read: r.behavior(&s.Behavior), required: true}, flag(r, "invert", &s.Invert, false))
	s.Pattern, s.Ends = p.finder, p.ends
	return s
}

// readMetaspace reads a Metaspace, in the older form too, which had add_prefix_space
// in the place of prepend_scheme.
func readMetaspace(r *fileReader) pretokenize.Metaspace {
	m := pretokenize.Metaspace{Replacement: "\u2581", Cut: true}
	scheme, prefix := false, true
	r.part(field{name: "replacement", read: func() { m.Replacement = string(r.char()) }, required: true},
		field{name: "prepend_scheme", read: func() {
			m.Prepend, scheme = pretokenize.Prepend(r.oneOf("always", "first", "never")), true
		}},
		flag(r, "split", &m.Cut, false), flag(r, "add_prefix_space", &prefix, false),
		field{name: "str_rep", read: func() { r.str() }})
	if !prefix {
		if scheme && m.Prepend != pretokenize.Never && r.err == nil {
			r.fail("add_prefix_space is false, which contradicts prepend_scheme")
		}
		m.Prepend = pretokenize.Never
	}
	return m
}
