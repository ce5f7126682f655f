package tokenizer

import (
	"fmt"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// fileReader reads Hugging Face's tokenizer.json. What a file may hold is what the
// funcs below and the tables of parts read; all else is an error. The large parts are
// read in passes, the first of which only checks and counts, so that no table is made
// larger than the file fills it.
type fileReader struct {
	jsonReader
	depth int // of parts

	added   []AddedToken
	addedAt []int // where the content of each is in the file
	token   AddedToken
	tokenAt int

	addedIDs   map[int32]bool
	addedTexts map[string]bool

	norm       normalize.Normalizer
	cutter     pretokenize.PreTokenizer
	post       postProcessor
	decoder    []decodeStep
	truncation *Truncation
	padding    *Padding

	modelFile
}

// parseFile reads a tokenizer.json.
func parseFile(data []byte) (*Pipeline, error) {
	r := &fileReader{jsonReader: jsonReader{data: data}}
	r.root()
	r.end()
	r.buildModel()
	if r.err != nil {
		return nil, r.err
	}
	p := &Pipeline{
		file: data, vocab: r.vocab, model: r.words, surface: r.kind == "Unigram", added: r.added, norm: r.norm, cutter: r.cutter, post: r.post,
		truncation: r.truncation, padding: r.padding,
	}
	if err := p.finish(r.decoder); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *fileReader) root() {
	token := r.tokenFields()
	r.fields(
		field{name: "version", read: func() { r.only("1.0") }},
		field{name: "truncation", read: r.readTruncation},
		field{name: "padding", read: r.readPadding},
		field{name: "added_tokens", read: func() { r.array(func() { r.addedToken(token) }) }},
		field{name: "normalizer", read: func() { r.norm = readPart(r, "normalizer", normalizerTypes()) }},
		field{name: "pre_tokenizer", read: func() { r.cutter = readPart(r, "pre-tokenizer", preTokenizerTypes()) }},
		field{name: "post_processor", read: func() { r.post = readPart(r, "post-processor", postProcessorTypes()) }},
		field{name: "decoder", read: func() { r.decoder = readPart(r, "decoder", decoderTypes()) }},
		field{name: "model", read: r.readModel, required: true},
	)
}

// only wants one string.
func (r *fileReader) only(want string) {
	start := r.pos
	if r.peek() != '"' || string(r.str()) != want {
		r.pos = start
		r.want(fmt.Sprintf("%q", want))
	}
}

func (r *fileReader) direction(d *Direction) field {
	return field{name: "direction", read: func() { *d = Direction(r.oneOf("Right", "Left")) }}
}

func (r *fileReader) readTruncation() {
	if r.null() {
		return
	}
	t := &Truncation{}
	r.fields(r.direction(&t.Direction),
		field{name: "max_length", read: func() { t.MaxLength = r.count() }, required: true},
		field{name: "stride", read: func() { t.Stride = r.count() }},
		field{name: "strategy", read: func() { t.Strategy = TruncationStrategy(r.oneOf("LongestFirst", "OnlyFirst", "OnlySecond")) }},
	)
	r.truncation = t
}

func (r *fileReader) readPadding() {
	if r.null() {
		return
	}
	p := &Padding{}
	r.fields(r.direction(&p.Direction),
		field{name: "strategy", required: true, read: func() {
			if r.peek() == '"' {
				r.only("BatchLongest")
				return
			}
			r.fields(field{name: "Fixed", read: func() { p.Length = r.count() }, required: true})
		}},
		field{name: "pad_to_multiple_of", read: func() {
			if !r.null() {
				p.MultipleOf = r.count()
			}
		}},
		field{name: "pad_id", read: func() { p.ID = r.id() }, required: true},
		field{name: "pad_type_id", read: func() { p.TypeID = r.id() }, required: true},
		field{name: "pad_token", read: func() { p.Token = r.string() }, required: true},
	)
	r.padding = p
}

// tokenFields are those of an entry of added_tokens, read into r.token.
func (r *fileReader) tokenFields() []field {
	t := &r.token
	return []field{
		{name: "id", read: func() { t.ID = r.id() }, required: true},
		{name: "content", read: func() { r.tokenAt = r.stringAt(); t.Content = r.textAt(r.tokenAt) }, required: true},
		flag(r, "single_word", &t.SingleWord, false),
		flag(r, "lstrip", &t.LStrip, false),
		flag(r, "rstrip", &t.RStrip, false),
		flag(r, "normalized", &t.Normalized, false),
		flag(r, "special", &t.Special, true),
	}
}

func (r *fileReader) addedToken(fields []field) {
	r.token = AddedToken{}
	r.fields(fields...)
	if r.err != nil {
		return
	}
	if r.addedIDs == nil {
		r.addedIDs, r.addedTexts = map[int32]bool{}, map[string]bool{}
	}
	if r.addedIDs[r.token.ID] || r.addedTexts[r.token.Content] {
		r.pos = r.tokenAt
		r.fail("the token %q or its id, %d, is given twice", r.token.Content, r.token.ID)
	}
	r.addedIDs[r.token.ID], r.addedTexts[r.token.Content] = true, true
	r.added, r.addedAt = append(r.added, r.token), append(r.addedAt, r.tokenAt)
}

// stringAt reads a string that must not be empty and returns where it is.
func (r *fileReader) stringAt() int {
	r.peek()
	at := r.pos
	text := r.str()
	if len(text) == 0 && r.err == nil {
		r.pos = at
		r.want("a string that is not empty")
	}
	return at
}

// textAt returns the string at a place that was read before.
func (r *fileReader) textAt(at int) string {
	if r.err != nil {
		return ""
	}
	pos := r.pos
	r.pos = at
	text := r.string()
	r.pos = pos
	return text
}

// checkAdded wants the ids of added tokens to be near the others.
func (r *fileReader) checkAdded() {
	r.path = []string{"added_tokens"}
	for i, t := range r.added {
		if int(t.ID) >= r.maxIDs() && r.err == nil {
			r.pos = r.addedAt[i]
			r.fail("the id %d is out of range: want less than %d for a file of this size", t.ID, r.maxIDs())
		}
	}
}

// maxIDs bounds the ids: some files leave some out, but what is made of a file must
// stay in proportion to it.
func (r *fileReader) maxIDs() int { return r.numPieces + len(r.added) + len(r.data)/16 + 4096 }
