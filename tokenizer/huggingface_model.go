package tokenizer

import (
	"bytes"
	"math"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/unigram"
	"github.com/aries-serpent/codexml/tokenizer/wordpiece"
)

// modelFile is what a file says of its model. Vocabulary and merges are checked and
// counted when they are met, and read in a second pass.
type modelFile struct {
	kind                 string
	vocabAt, mergesAt    int // where the values begin
	numPieces, numMerges int
	textSize             int // of pieces
	unknownAt            int // where unk_token is; 0 for null
	unknown              int32
	options              bpe.Config
	maxChars             int

	addedByID map[int32]*AddedToken
	vocab     *bpe.Vocabulary
	scores    []float64 // unigram
	merges    []bpe.Merge
	left      []byte // of the merge being read
	words     wordModel
}

// modelTypes are the models of files, with the fields that each has.
func modelTypes() []partType[[]field] {
	vocab := func(r *fileReader) field { return field{name: "vocab", read: r.countPieces, required: true} }
	unknown := func(r *fileReader) field { return field{name: "unk_token", read: r.unknownToken} }
	return []partType[[]field]{
		{"BPE", func(r *fileReader) []field {
			return []field{
				{name: "dropout", read: r.noDropout}, unknown(r), vocab(r),
				{name: "continuing_subword_prefix", read: func() { r.options.Prefix = r.optional() }},
				{name: "end_of_word_suffix", read: func() { r.options.Suffix = r.optional() }},
				flag(r, "fuse_unk", &r.options.FuseUnknown, false), flag(r, "byte_fallback", &r.options.ByteFallback, false),
				flag(r, "ignore_merges", &r.options.IgnoreMerges, false),
				{name: "merges", read: r.countMerges, required: true},
			}
		}},
		{"WordPiece", func(r *fileReader) []field {
			r.maxChars, r.options.Prefix = 100, "##"
			return []field{
				unknown(r), vocab(r),
				{name: "continuing_subword_prefix", read: func() { r.options.Prefix = r.string() }},
				{name: "max_input_chars_per_word", read: func() { r.maxChars = r.count() }},
			}
		}},
		{"WordLevel", func(r *fileReader) []field { return []field{unknown(r), vocab(r)} }},
		{"Unigram", func(r *fileReader) []field {
			return []field{
				{name: "unk_id", read: func() {
					if !r.null() {
						r.unknown = r.id()
					}
				}},
				{name: "vocab", read: r.countScores, required: true},
				flag(r, "byte_fallback", &r.options.ByteFallback, false),
			}
		}},
	}
}

func (r *fileReader) readModel() {
	r.unknown = -1
	types := modelTypes()
	if r.kind = r.typeName(); r.kind == "" && r.err == nil {
		r.kind = r.guessModel()
	}
	for _, t := range types {
		if t.name == r.kind {
			r.part(t.read(r)...)
			return
		}
	}
	if r.err == nil {
		r.fail("the model %q is unknown: want one of %v", r.kind, partNames(types))
	}
}

// guessModel tells the model of a file of the time before models had a type.
func (r *fileReader) guessModel() string {
	start, kind := r.pos, "WordLevel"
	r.object(func(key []byte) {
		switch string(key) {
		case "merges":
			kind = "BPE"
		case "max_input_chars_per_word":
			kind = "WordPiece"
		case "unk_id":
			kind = "Unigram"
		}
		r.skipValue(1)
	})
	if r.err == nil {
		r.pos = start
	}
	return kind
}

func (r *fileReader) noDropout() {
	start := r.pos
	if !r.null() && r.float() != 0 && r.err == nil {
		r.pos = start
		r.fail("dropout makes ids random, which is not done here: want null or 0")
	}
}

// optional reads a string or null.
func (r *fileReader) optional() string {
	if r.null() {
		return ""
	}
	return r.string()
}

func (r *fileReader) unknownToken() {
	if !r.null() {
		r.peek()
		r.unknownAt = r.pos
		r.str()
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

// countScores reads a vocabulary of [piece, score].
func (r *fileReader) countScores() {
	r.vocabAt = r.pos
	r.scoreList(func(piece []byte, _ float64) {
		r.numPieces++
		r.textSize += len(piece)
	})
}

func (r *fileReader) scoreList(each func(piece []byte, score float64)) {
	r.array(func() {
		n, at := 0, 0
		score := 0.0
		r.array(func() {
			if n++; n == 1 {
				r.peek()
				at = r.pos
				r.left = append(r.left[:0], r.str()...)
			} else {
				score = r.float()
			}
		})
		if n != 2 {
			r.fail("want a piece and its score, got %d values", n)
			return
		}
		if r.err == nil {
			r.last = at
			each(r.left, score)
		}
	})
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

// buildModel makes the model of what was counted. Special tokens are left out of its
// vocabulary: text could otherwise forge them.
func (r *fileReader) buildModel() {
	if r.err != nil {
		return
	}
	r.checkAdded()
	r.addedByID = make(map[int32]*AddedToken, len(r.added))
	for i := range r.added {
		r.addedByID[r.added[i].ID] = &r.added[i]
	}
	if r.kind == "Unigram" {
		r.readScores()
	} else {
		r.readVocabulary()
	}
	r.checkContents()
	r.findUnknown()
	if r.kind == "BPE" {
		r.options.ByteLevel = endsInBytes(r.cutter)
		r.checkBytes()
		r.readMerges()
	}
	if r.err == nil {
		r.newModel()
	}
}

func (r *fileReader) newModel() {
	var err error
	r.path = []string{"model"}
	switch r.kind {
	case "BPE":
		c := r.options
		c.Vocabulary, c.Merges, c.Unknown = r.vocab, r.merges, r.unknown
		r.words, err = bpe.New(c)
	case "WordPiece":
		r.words, err = wordpiece.New(wordpiece.Config{Vocabulary: r.vocab, Unknown: r.unknown, Prefix: r.options.Prefix, MaxChars: r.maxChars})
	case "WordLevel":
		r.words, err = wordpiece.NewWordLevel(r.vocab, r.unknown)
	case "Unigram":
		r.words, err = unigram.New(unigram.Config{
			Pieces: r.unigramPieces(), Unknown: r.unknown, ByteFallback: r.options.ByteFallback, FuseUnknown: true, MinScore: math.NaN(),
		})
	}
	if err != nil {
		r.fail("%v", err)
	}
}

func (r *fileReader) unigramPieces() []unigram.Piece {
	pieces := make([]unigram.Piece, len(r.scores))
	for id, score := range r.scores {
		text, kind := string(r.vocab.Piece(int32(id))), unigram.Normal
		if t := r.addedByID[int32(id)]; t != nil && t.Special {
			text, kind = t.Content, unigram.Reserved
		}
		pieces[id] = unigram.Piece{Text: text, Score: score, Kind: kind}
	}
	return pieces
}

// readVocabulary makes the vocabulary of what was counted.
func (r *fileReader) readVocabulary() {
	if r.err != nil {
		return
	}
	numIDs := 0
	r.pos, r.path = r.vocabAt, []string{"model", "vocab"}
	at := make([]uint32, min(r.maxIDs(), 2*r.numPieces+16)) // where each id's piece is in the file
	r.object(func(key []byte) {
		where := r.last
		id := int(r.id())
		if r.err == nil && id >= len(at) && id < r.maxIDs() {
			at = append(at, make([]uint32, r.maxIDs()-len(at))...)
		}
		switch {
		case r.err != nil:
		case id >= len(at):
			r.pos = where
			r.fail("the id %d of %q is out of range: want less than %d for a file of this size", id, key, r.maxIDs())
		case at[id] != 0:
			r.pos = where
			r.fail("the id %d is given twice, the second time to %q", id, key)
		default:
			at[id] = uint32(where)
			numIDs = max(numIDs, id+1)
		}
	})
	r.vocab = bpe.NewVocabulary(numIDs, r.textSize)
	for id := range numIDs {
		if r.err != nil {
			return
		}
		if at[id] == 0 {
			r.vocab.Skip()
			continue
		}
		r.pos = int(at[id])
		r.addPiece(int32(id), r.str())
	}
}

// readScores makes the vocabulary of a unigram model.
func (r *fileReader) readScores() {
	if r.err != nil {
		return
	}
	r.pos, r.path = r.vocabAt, []string{"model", "vocab"}
	r.vocab, r.scores = bpe.NewVocabulary(r.numPieces, r.textSize), make([]float64, 0, r.numPieces)
	r.scoreList(func(piece []byte, score float64) {
		r.addPiece(int32(len(r.scores)), piece)
		r.scores = append(r.scores, score)
	})
}

// addPiece gives a piece, the last string that was read, the next id.
func (r *fileReader) addPiece(id int32, piece []byte) {
	if r.err != nil {
		return
	}
	if t := r.addedByID[id]; t != nil {
		if t.Content != string(piece) {
			r.pos, r.path = r.last, []string{"added_tokens"}
			r.fail("the token %q has the id %d, which is that of %q", t.Content, id, piece)
			return
		}
		if t.Special {
			r.vocab.Skip()
			return
		}
	}
	if !r.vocab.Add(piece) {
		first, _ := r.vocab.ID(piece)
		r.pos = r.last
		r.fail("the piece %q has two ids, %d and %d", piece, first, id)
	}
}

// checkContents wants added tokens to have no other id in the vocabulary.
func (r *fileReader) checkContents() {
	for i, t := range r.added {
		if r.err != nil {
			return
		}
		if id, ok := r.vocab.ID([]byte(t.Content)); ok && id != t.ID {
			r.pos, r.path = r.addedAt[i], []string{"added_tokens"}
			r.fail("the piece %q has two ids, %d and %d", t.Content, id, t.ID)
		}
	}
}

// checkBytes wants that no special token is the writing of a byte.
func (r *fileReader) checkBytes() {
	if r.err != nil || !r.options.ByteLevel {
		return
	}
	for b := range bpe.NumBytes {
		written := string(bpe.AppendWritten(nil, []byte{byte(b)}))
		for i, t := range r.added {
			if t.Special && t.Content == written {
				r.pos, r.path = r.addedAt[i], []string{"added_tokens"}
				r.fail("the special token %q is the writing of byte 0x%02X: text could then forge it", written, b)
			}
		}
	}
}

// findUnknown resolves unk_token. Models of words need one.
func (r *fileReader) findUnknown() {
	if r.err != nil {
		return
	}
	r.path = []string{"model", "unk_token"}
	if r.unknownAt == 0 {
		if r.kind == "WordPiece" || r.kind == "WordLevel" {
			r.pos = r.vocabAt
			r.fail("there is none: a word that is not in the vocabulary would have no id")
		}
		return
	}
	r.pos = r.unknownAt
	piece := r.str()
	r.pos = r.unknownAt
	var ok bool
	if r.unknown, ok = r.vocab.ID(piece); ok {
		return
	}
	for id, t := range r.addedByID {
		if t.Content == string(piece) && int(id) < r.vocab.Size() {
			r.unknown = id
			return
		}
	}
	r.fail("%q is not in the vocabulary", piece)
}

// readMerges resolves the merges.
func (r *fileReader) readMerges() {
	if r.err != nil {
		return
	}
	r.pos, r.path = r.mergesAt, []string{"model", "merges"}
	r.merges = make([]bpe.Merge, 0, r.numMerges)
	specials := map[string]bool{}
	for _, t := range r.added {
		specials[t.Content] = t.Special
	}
	var whole []byte
	r.mergeList(func(left, right []byte) {
		if r.err != nil {
			return
		}
		if len(right) < len(r.options.Prefix) {
			r.fail("merge %d: %q is shorter than the continuing subword prefix", len(r.merges), right)
			return
		}
		whole = append(append(whole[:0], left...), right[len(r.options.Prefix):]...)
		if specials[string(whole)] {
			r.fail("merge %d makes the special token %q: text could then forge it", len(r.merges), whole)
			return
		}
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
