// Package regex matches the regular expressions that tokenizers cut text with.
//
// They come in two dialects: that of tokenizer.json, which is Oniguruma's (Compile),
// and that of tiktoken, which is that of Rust's fancy-regex (CompileRust). Both are
// matched as these do it: leftmost, and of what begins there the alternative that
// comes first. What this package does not know is an error that names it and its
// place; nothing is guessed. Package tokenizer and its rooms call it.
//
// Text is bytes. A byte that is no part of valid UTF-8 counts as one character that
// is in no class, and so in the complement of every class.
//
// A Regexp is safe for concurrent use, its matches are a function of pattern and text
// alone, and matching allocates nothing once its scratch has grown. Time is bounded:
// a search that goes back and forth too much begins to remember where it failed, after
// which no place of the pattern is tried twice at one place of the text. So a match takes
// at most length of pattern times length of text steps, and as many again for each level of
// nesting of atomic groups and look-arounds; never exponentially many.
package regex

import "sync"

// Regexp is a compiled pattern.
type Regexp struct {
	pattern string
	prog    *program
	scratch sync.Pool // of *machine
	known   *scanner  // nil for patterns that are not of known forms
}

// Compile parses a pattern as Oniguruma does in its own syntax, which is what
// tokenizer.json holds.
func Compile(pattern string) (*Regexp, error) { return compile(pattern, oniguruma) }

// CompileRust parses a pattern as Rust's fancy-regex does, which is what tiktoken
// takes.
func CompileRust(pattern string) (*Regexp, error) { return compile(pattern, rust) }

// MustCompile is Compile for patterns that are constants; it panics on errors.
func MustCompile(pattern string) *Regexp {
	re, err := Compile(pattern)
	if err != nil {
		panic("regex: MustCompile: " + err.Error())
	}
	return re
}

// GPT2Pattern cuts text for GPT-2 and for byte-level BPE wherever nothing else is said.
const GPT2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// GPT2 is GPT2Pattern, compiled once.
var GPT2 = sync.OnceValue(func() *Regexp { return MustCompile(GPT2Pattern) })

func compile(pattern string, d dialect) (*Regexp, error) {
	tree, err := parse(pattern, d)
	if err != nil {
		return nil, err
	}
	prog, err := assemble(tree)
	if err != nil {
		return nil, &Error{Pattern: pattern, Problem: err.Error()}
	}
	re := &Regexp{pattern: pattern, prog: prog}
	re.scratch.New = func() any { return new(machine) }
	re.known = scannerOf(tree)
	return re, nil
}

// String returns the pattern.
func (re *Regexp) String() string { return re.pattern }

// Find returns where the first match in text lies that begins at from or later. What
// comes before from is seen by look-behind and anchors.
func (re *Regexp) Find(text []byte, from int) (start, end int, ok bool) {
	m := re.scratch.Get().(*machine)
	start, end, ok = m.find(re.prog, text, from)
	m.release()
	re.scratch.Put(m)
	return start, end, ok
}

// matchAt returns the end of the match that begins at i, by the general engine.
func (re *Regexp) matchAt(text []byte, i int) (end int, ok bool) {
	m := re.scratch.Get().(*machine)
	end, ok = m.match(re.prog, text, i)
	m.release()
	re.scratch.Put(m)
	return end, ok
}

// AppendMatches appends start and end of every match in text, in order. After a match
// of nothing the search goes on at the next character; nothing is not matched right
// after a match.
func (re *Regexp) AppendMatches(dst []int32, text []byte) []int32 {
	m := re.scratch.Get().(*machine)
	m.begin(re.prog, text)
	last := -1
	for from := 0; from <= len(text); {
		start, end, ok := m.search(from)
		if !ok {
			break
		}
		m.earn(end - start)
		from = end
		if start == end {
			from += charSize(text, end)
			if end == last {
				continue
			}
		}
		last = end
		dst = append(dst, int32(start), int32(end))
	}
	m.release()
	re.scratch.Put(m)
	return dst
}
