package tokenizer

import (
	"bytes"
	"fmt"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// fileReader reads Hugging Face's tokenizer.json for a byte-level BPE tokenizer.
// What a file may hold is what the funcs below read; all else is an error. The
// large parts are read in passes, the first of which only checks and counts, so
// that no table is made larger than the file fills it.
type fileReader struct {
	jsonReader
	added []addedToken
	token addedToken // the one being read

	vocabAt, mergesAt    int // where the values begin
	numPieces, numMerges int
	textSize             int // of pieces and added tokens, at most
	unknownAt            int // where unk_token is; 0 for null

	vocab  *bpe.Vocabulary
	merges []bpe.Merge
	left   []byte // of the merge being read
}

// addedToken is an entry of added_tokens.
type addedToken struct {
	id        int32
	contentAt int // where its content is in the file
}

// parseFile reads a tokenizer.json.
func parseFile(data []byte) (*byteLevel, error) {
	r := &fileReader{jsonReader: jsonReader{data: data}}
	r.root()
	r.end()
	r.readVocabulary()
	r.readMerges()
	if r.err != nil {
		return nil, r.err
	}
	specials := make([]int32, len(r.added))
	for i, a := range r.added {
		specials[i] = a.id
	}
	return newByteLevel(data, r.vocab, r.merges, specials)
}

func (r *fileReader) root() {
	token := r.tokenFields()
	r.fields(
		field{name: "version", read: func() { r.only("1.0") }},
		field{name: "truncation", read: func() { r.onlyNull("texts are never truncated here") }},
		field{name: "padding", read: func() { r.onlyNull("texts are never padded here") }},
		field{name: "added_tokens", read: func() { r.array(func() { r.addedToken(token) }) }},
		field{name: "normalizer", read: func() { r.onlyNull("normalizers are not supported") }},
		field{name: "pre_tokenizer", read: func() { r.byteLevel(true) }, required: true},
		field{name: "post_processor", read: r.postProcessor},
		field{name: "decoder", read: func() { r.byteLevel(false) }, required: true},
		field{name: "model", read: r.model, required: true},
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

// onlyNull wants null, and says why.
func (r *fileReader) onlyNull(why string) {
	if !r.null() {
		r.want("null (" + why + ")")
	}
}

// onlyBool wants one of the two, and says why.
func (r *fileReader) onlyBool(want bool, why string) {
	start := r.pos
	if r.bool() != want {
		r.pos = start
		r.want(fmt.Sprintf("%v (%s)", want, why))
	}
}

// tokenFields are those of an entry of added_tokens, read into r.token. A special
// token's flags say how it is found in text, where this package never looks for one.
func (r *fileReader) tokenFields() []field {
	no := func() { r.onlyBool(false, "the flag is not supported") }
	return []field{
		{name: "id", read: func() { r.token.id = r.id() }, required: true},
		{name: "content", read: func() { r.token.contentAt = r.stringAt() }, required: true},
		{name: "single_word", read: no},
		{name: "lstrip", read: no},
		{name: "rstrip", read: no},
		{name: "normalized", read: func() { r.bool() }}, // there is no normalizer
		{name: "special", read: func() { r.onlyBool(true, "added tokens that are not special are not supported") }, required: true},
	}
}

func (r *fileReader) addedToken(fields []field) {
	r.token = addedToken{}
	r.fields(fields...)
	r.added = append(r.added, r.token)
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
	r.textSize += len(text)
	return at
}

// byteLevel reads a ByteLevel part. What it says of offsets and, in a decoder, of
// splitting changes neither ids nor text.
func (r *fileReader) byteLevel(splits bool) {
	prefix, regex := func() { r.bool() }, func() { r.bool() }
	if splits {
		prefix = func() { r.onlyBool(false, "adding a space before the text is not supported") }
		regex = func() { r.onlyBool(true, "splitting without GPT-2's pattern is not supported") }
	}
	r.fields(
		field{name: "type", read: func() { r.only("ByteLevel") }, required: true},
		field{name: "add_prefix_space", read: prefix, required: true},
		field{name: "trim_offsets", read: func() { r.bool() }},
		field{name: "use_regex", read: regex},
	)
}

func (r *fileReader) postProcessor() {
	if !r.null() {
		r.byteLevel(false)
	}
}

// model reads a BPE model but its vocabulary and merges, which are checked and
// counted. Every byte has a piece, so what it says of unknown characters has no
// effect.
func (r *fileReader) model() {
	r.fields(
		field{name: "type", read: func() { r.only("BPE") }, required: true},
		field{name: "dropout", read: func() { r.onlyNull("dropout is not supported") }},
		field{name: "unk_token", read: r.unknown},
		field{name: "continuing_subword_prefix", read: r.onlyEmpty},
		field{name: "end_of_word_suffix", read: r.onlyEmpty},
		field{name: "fuse_unk", read: func() { r.bool() }},
		field{name: "byte_fallback", read: func() { r.bool() }},
		field{name: "ignore_merges", read: func() { r.onlyBool(false, "encoding against the merges is not supported") }},
		field{name: "vocab", read: r.countPieces, required: true},
		field{name: "merges", read: r.countMerges, required: true},
	)
}

// onlyEmpty wants null or "".
func (r *fileReader) onlyEmpty() {
	if !r.null() {
		r.only("")
	}
}

func (r *fileReader) unknown() {
	if !r.null() {
		r.unknownAt = r.stringAt()
	}
}

func (r *fileReader) countPieces() {
	r.vocabAt = r.pos
	r.object(func(key []byte) {
		r.numPieces++
		r.textSize += len(key)
		r.id()
	})
}

func (r *fileReader) countMerges() {
	r.mergesAt = r.pos
	r.mergeList(func(left, right []byte) { r.numMerges++ })
}

// mergeList reads merges, written ["left", "right"] or, in older files, "left
// right".
func (r *fileReader) mergeList(each func(left, right []byte)) {
	r.array(func() {
		if r.peek() == '"' {
			left, right, ok := bytes.Cut(r.str(), []byte(" "))
			if r.err == nil && (!ok || bytes.IndexByte(right, ' ') >= 0) {
				r.fail("want a merge of two pieces with a space between")
			}
			each(left, right)
			return
		}
		n := 0
		var right []byte
		r.array(func() {
			text := r.str()
			if n++; n == 1 {
				r.left = append(r.left[:0], text...)
			}
			right = text
		})
		if n != 2 {
			r.fail("want a merge of two pieces, got %d", n)
		}
		each(r.left, right)
	})
}

// readVocabulary makes the vocabulary of what was counted and of added tokens that
// are not in it. Ids must run from 0 without a gap.
func (r *fileReader) readVocabulary() {
	if r.err != nil {
		return
	}
	at := make([]uint32, r.numPieces+len(r.added)) // where each id's piece is in the file
	numIDs := r.placePieces(at)
	r.path = []string{"added_tokens"}
	for _, a := range r.added {
		r.pos = a.contentAt
		if int(a.id) >= len(at) {
			r.fail("the id %d is out of range: there are at most %d pieces", a.id, len(at))
		} else if at[a.id] == 0 {
			at[a.id] = uint32(a.contentAt)
			numIDs = max(numIDs, int(a.id)+1)
		}
	}
	r.path = []string{"model", "vocab"}
	r.vocab = bpe.NewVocabulary(numIDs, r.textSize)
	for id := range numIDs {
		r.addPiece(int32(id), int(at[id]))
	}
	r.checkAdded()
	r.checkUnknown()
}

// placePieces fills in where the pieces of the model's vocabulary are, and returns
// how many ids that makes.
func (r *fileReader) placePieces(at []uint32) int {
	numIDs := 0
	r.pos, r.path = r.vocabAt, []string{"model", "vocab"}
	r.object(func(key []byte) {
		where := r.last
		switch id := int(r.id()); {
		case r.err != nil:
		case id >= len(at):
			r.pos = where
			r.fail("the id %d of %q is out of range: there are at most %d pieces", id, key, len(at))
		case at[id] != 0:
			r.pos = where
			r.fail("the id %d is given twice, the second time to %q", id, key)
		default:
			at[id] = uint32(where)
			numIDs = max(numIDs, id+1)
		}
	})
	return numIDs
}

// addPiece gives the piece at pos the next id.
func (r *fileReader) addPiece(id int32, pos int) {
	if r.err != nil {
		return
	}
	if r.pos = pos; pos == 0 {
		r.pos = r.vocabAt
		r.fail("no piece has the id %d, but one has a greater id", id)
		return
	}
	if piece := r.str(); !r.vocab.Add(piece) {
		first, _ := r.vocab.ID(piece)
		r.pos = pos
		r.fail("the piece %q has two ids, %d and %d", piece, first, id)
	}
}

// checkAdded wants the vocabulary to agree with added_tokens.
func (r *fileReader) checkAdded() {
	r.path = []string{"added_tokens"}
	for _, a := range r.added {
		if r.err != nil {
			return
		}
		r.pos = a.contentAt
		content := r.str()
		r.pos = a.contentAt
		if piece := r.vocab.Piece(a.id); !bytes.Equal(piece, content) {
			r.fail("the token %q has the id %d, which is that of %q", content, a.id, piece)
		}
	}
}

func (r *fileReader) checkUnknown() {
	if r.unknownAt == 0 || r.err != nil {
		return
	}
	r.path = []string{"model", "unk_token"}
	r.pos = r.unknownAt
	piece := r.str()
	r.pos = r.unknownAt
	if _, ok := r.vocab.ID(piece); !ok {
		r.fail("%q is not in the vocabulary", piece)
	}
}

// readMerges resolves the merges.
func (r *fileReader) readMerges() {
	if r.err != nil {
		return
	}
	r.pos, r.path = r.mergesAt, []string{"model", "merges"}
	r.merges = make([]bpe.Merge, 0, r.numMerges)
	var whole []byte
	r.mergeList(func(left, right []byte) {
		if r.err != nil {
			return
		}
		whole = append(append(whole[:0], left...), right...)
		m := bpe.Merge{Left: r.lookUp(left), Right: r.lookUp(right), ID: r.lookUp(whole)}
		r.merges = append(r.merges, m)
	})
}

// lookUp returns the id of a piece of a merge.
func (r *fileReader) lookUp(piece []byte) int32 {
	id, ok := r.vocab.ID(piece)
	if !ok {
		r.fail("merge %d needs the piece %q, which is not in the vocabulary", len(r.merges), piece)
	}
	return id
}
