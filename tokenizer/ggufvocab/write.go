package ggufvocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
)

// ErrUnwritable is wrapped where a tokenizer has no name in llama.cpp.
var ErrUnwritable = errors.New("llama.cpp has no name for this tokenizer: the model stays a folder, or convert_hf_to_gguf.py of llama.cpp knows it by its hash")

// Kinds of token that are written alone.
const (
	kindNormal = 1
	kindUnused = 5
)

// Source is what a folder says of its tokenizer.
type Source struct {
	Tokenizer []byte // tokenizer.json
	Settings  []byte // tokenizer_config.json; nil if there is none
	Template  string // chat_template.jinja; "" takes the settings'
	// VocabSize is the number of rows of the model's embedding: ids without a token
	// get one that is never made.
	VocabSize int
	BOS, PAD  int32   // -1: none
	EOS       []int32 // the first ends a text where the settings name none
}

// tokenizerFile is what is read of a tokenizer.json.
type tokenizerFile struct {
	Added []struct {
		ID             int
		Content        string
		Special        bool
		LStrip, RStrip bool
		Word           bool `json:"single_word"`
	} `json:"added_tokens"`
	Normalizer any `json:"normalizer"`
	Cutter     any `json:"pre_tokenizer"`
	Post       any `json:"post_processor"`
	Model      struct {
		Type         string
		Vocab        map[string]int
		Merges       []json.RawMessage
		ByteFallback bool     `json:"byte_fallback"`
		IgnoreMerges bool     `json:"ignore_merges"`
		Dropout      *float64 `json:"dropout"`
		Prefix       *string  `json:"continuing_subword_prefix"`
		Suffix       *string  `json:"end_of_word_suffix"`
		Unknown      *string  `json:"unk_token"`
	}
}

// writer gathers the metadata.
type writer struct {
	src     Source
	file    tokenizerFile
	set     map[string]any // tokenizer_config.json
	tokens  []string
	kinds   []int32
	ids     map[string]int
	entries []gguf.KeyValue
}

func (w *writer) add(key string, value any) {
	w.entries = append(w.entries, gguf.KeyValue{Key: "tokenizer." + key, Value: value})
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrUnwritable, fmt.Sprintf(format, args...))
}

// Entries are the metadata of a vocabulary, the reverse of JSON and Config: what they
// would not read again as it was is refused, wrapping ErrUnwritable.
func Entries(src Source) ([]gguf.KeyValue, error) {
	w := &writer{src: src, set: map[string]any{}}
	if err := json.Unmarshal(src.Tokenizer, &w.file); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if src.Settings != nil {
		if err := json.Unmarshal(src.Settings, &w.set); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
	}
	m := w.file.Model
	if m.Type != "BPE" || m.Dropout != nil && *m.Dropout != 0 || m.Prefix != nil && *m.Prefix != "" || m.Suffix != nil && *m.Suffix != "" {
		return nil, refuse("model is %.40q, want BPE without dropout, prefix and suffix", m.Type)
	}
	if err := w.vocabulary(); err != nil {
		return nil, err
	}
	body := w.byteLevel
	if m.ByteFallback {
		body = w.sentencePiece
	}
	if err := body(); err != nil {
		return nil, err
	}
	if err := w.special(); err != nil {
		return nil, err
	}
	return w.entries, nil
}

// vocabulary lists the tokens by id.
func (w *writer) vocabulary() error {
	w.tokens, w.kinds, w.ids = make([]string, w.src.VocabSize), make([]int32, w.src.VocabSize), w.file.Model.Vocab
	put := func(text string, id int, kind int32) error {
		if id < 0 || id >= w.src.VocabSize {
			return fmt.Errorf("tokenizer.json: token %.40q has id %d, the model has %d rows: the files do not belong together", text, id, w.src.VocabSize)
		}
		if w.kinds[id] != 0 && w.tokens[id] != text {
			return fmt.Errorf("tokenizer.json: %.40q and %.40q have the same id %d", w.tokens[id], text, id)
		}
		w.tokens[id], w.kinds[id] = text, kind
		return nil
	}
	for _, text := range slices.Sorted(maps.Keys(w.ids)) {
		kind := int32(kindNormal)
		if w.file.Model.ByteFallback && isByte(text) {
			kind = kindByte
		}
		if err := put(text, w.ids[text], kind); err != nil {
			return err
		}
	}
	for _, a := range w.file.Added {
		kind := int32(kindUserDefined)
		if a.Special {
			kind = kindControl
		}
		if u := w.file.Model.Unknown; u != nil && *u == a.Content && w.file.Model.ByteFallback {
			kind = kindUnknown
		}
		if a.LStrip || a.RStrip || a.Word {
			return refuse("the added token %.40q takes the blanks beside it, or only whole words", a.Content)
		}
		if err := put(a.Content, a.ID, kind); err != nil {
			return err
		}
	}
	for id, kind := range w.kinds {
		if kind == 0 {
			w.tokens[id], w.kinds[id] = fmt.Sprintf("[PAD%d]", id), kindUnused
		}
	}
	return nil
}

// isByte says whether a piece stands for a byte, <0x0A>.
func isByte(text string) bool {
	var b byte
	_, err := fmt.Sscanf(text, "<0x%02X>", &b)
	return err == nil && len(text) == 6
}

// merges reads the pairs, which a file has as "a b" or as ["a", "b"].
func (w *writer) merges() ([][2]string, error) {
	out := make([][2]string, len(w.file.Model.Merges))
	for i, raw := range w.file.Model.Merges {
		var text string
		if json.Unmarshal(raw, &out[i]) == nil {
			continue
		}
		if err := json.Unmarshal(raw, &text); err != nil || strings.Count(text, " ") != 1 {
			return nil, fmt.Errorf("tokenizer.json: merge %d is %.60s, want two pieces", i, raw)
		}
		out[i][0], out[i][1], _ = strings.Cut(text, " ")
	}
	return out, nil
}

// steps lists the parts of a pre-tokenizer or normalizer.
func steps(x any, list string) []object {
	o, ok := x.(object)
	if !ok {
		return nil
	}
	parts, ok := o[list].([]any)
	if !ok {
		return []object{o}
	}
	var out []object
	for _, p := range parts {
		out = append(out, steps(p, list)...)
	}
	return out
}

func kindsOf(parts []object) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i], _ = p["type"].(string)
	}
	return strings.Join(names, "+")
}

// cutterOf reads how a tokenizer.json cuts.
func (w *writer) cutterOf() (cutter, bool) {
	c := cutter{whole: w.file.Model.IgnoreMerges}
	normal := steps(w.file.Normalizer, "normalizers")
	c.nfc = kindsOf(normal) == "NFC"
	parts := steps(w.file.Cutter, "pretokenizers")
	if len(parts) == 0 || len(normal) > 0 && !c.nfc {
		return c, false
	}
	last := parts[len(parts)-1]
	regex := last["use_regex"] != false
	switch kindsOf(parts) {
	case "ByteLevel":
	case "Digits+ByteLevel":
		c.digits = true
	case "Split+ByteLevel":
		pattern, _ := parts[0]["pattern"].(object)
		c.pattern, _ = pattern["Regex"].(string)
		regex = !regex && c.pattern != "" && parts[0]["behavior"] == "Isolated" && parts[0]["invert"] != true
	default:
		return c, false
	}
	return c, regex && last["add_prefix_space"] == false && (!c.digits || parts[0]["individual_digits"] == true)
}

// names are those that are written, best known first.
var names = []string{"gpt-2", "smollm", "llama-bpe", "qwen2", "stablelm2"}

// byteLevel is the reverse of vocabulary.byteLevel.
func (w *writer) byteLevel() error {
	cut, ok := w.cutterOf()
	i := slices.IndexFunc(names, func(name string) bool { return cutters[name] == cut })
	if !ok || i < 0 {
		return refuse("its normalizer is %.60q, its pre_tokenizer %.60q with the pattern %.80q; written are %s", kindsOf(steps(w.file.Normalizer, "normalizers")),
			kindsOf(steps(w.file.Cutter, "pretokenizers")), cut.pattern, strings.Join(names, ", "))
	}
	pairs, err := w.merges()
	if err != nil {
		return err
	}
	merges := make([]string, len(pairs))
	for i, p := range pairs {
		if merges[i] = p[0] + " " + p[1]; strings.Count(merges[i], " ") != 1 {
			return refuse("merge %d has a blank in a piece", i)
		}
	}
	w.add("ggml.model", "gpt2")
	w.add("ggml.pre", names[i])
	w.add("ggml.tokens", w.tokens)
	w.add("ggml.token_type", w.kinds)
	w.add("ggml.merges", merges)
	return nil
}

// special writes the special tokens and the template.
func (w *writer) special() error {
	byName := map[string]int{}
	put := func(key, setting string, missing int32) {
		id := int(missing)
		text, _ := w.set[setting].(string)
		if o, ok := w.set[setting].(object); ok {
			text, _ = o["content"].(string)
		}
		if at := slices.Index(w.tokens, text); text != "" && at >= 0 {
			id = at
		}
		if id >= 0 && id < len(w.tokens) {
			byName[key] = id
			w.add("ggml."+key+"_token_id", uint32(id))
		}
	}
	eos := int32(-1)
	if len(w.src.EOS) > 0 {
		eos = w.src.EOS[0]
	}
	put("bos", "bos_token", w.src.BOS)
	put("eos", "eos_token", eos)
	put("unknown", "unk_token", -1)
	put("padding", "pad_token", w.src.PAD)
	more := []string{"eot", "eom"}
	for _, id := range w.src.EOS {
		if at, ok := byName["eos"]; ok && at != int(id) && len(more) > 0 {
			w.add("ggml."+more[0]+"_token_id", uint32(id))
			more = more[1:]
		}
	}
	if err := w.around(byName); err != nil {
		return err
	}
	template := w.src.Template
	if text, ok := w.set["chat_template"].(string); ok && template == "" {
		template = text
	}
	if template != "" {
		w.add("chat_template", template)
	}
	return nil
}

// around says which tokens are put around a text: none, or those of a template
// that are the file's first and last.
func (w *writer) around(byName map[string]int) error {
	put := map[string]bool{}
	for _, step := range steps(w.file.Post, "processors") {
		switch step["type"] {
		case "ByteLevel":
		case "TemplateProcessing":
			single, _ := step["single"].([]any)
			name := "bos"
			for _, x := range single {
				o, _ := x.(object)
				special, ok := o["SpecialToken"].(object)
				if !ok {
					name = "eos"
					continue
				}
				if text, _ := special["id"].(string); put[name] || slices.Index(w.tokens, text) != at(byName, name) {
					return refuse("its post_processor puts %.40q around a text, which is not the %s token", text, name)
				}
				put[name] = true
			}
		default:
			return refuse("its post_processor is %.40q", step["type"])
		}
	}
	w.add("ggml.add_bos_token", put["bos"])
	w.add("ggml.add_eos_token", put["eos"])
	return nil
}

func at(ids map[string]int, name string) int {
	if id, ok := ids[name]; ok {
		return id
	}
	return -2
}

// sentencePiece is the reverse of vocabulary.sentencePiece: a piece's score is its
// place among the pieces that merges make, and the merges must follow from that.
func (w *writer) sentencePiece() error {
	prefix, err := w.prefix()
	if err != nil {
		return err
	}
	pairs, err := w.merges()
	if err != nil {
		return err
	}
	scores, made := make([]float32, len(w.tokens)), map[string]bool{}
	for _, p := range pairs {
		whole := p[0] + p[1]
		if id, ok := w.ids[whole]; ok && !made[whole] {
			scores[id], made[whole] = -float32(len(made)), true
		}
	}
	for id, text := range w.tokens {
		if w.kinds[id] == kindNormal && !made[text] {
			scores[id] = -float32(len(w.tokens)) // characters come last
		}
	}
	v := &vocabulary{tokens: w.tokens, kinds: make([]int64, len(w.tokens))}
	wide := make([]float64, len(scores))
	for i := range scores {
		v.kinds[i], wide[i] = int64(w.kinds[i]), float64(scores[i])
	}
	if !reflect.DeepEqual(v.merges(v.ids(), wide), pairs) {
		return refuse("its merges are not SentencePiece's, which follow from a score of each piece")
	}
	w.add("ggml.model", "llama")
	w.add("ggml.pre", "default")
	w.add("ggml.tokens", w.tokens)
	w.add("ggml.scores", scores)
	w.add("ggml.token_type", w.kinds)
	w.add("ggml.add_space_prefix", prefix)
	return nil
}

// prefix says whether a text begins with a blank more.
func (w *writer) prefix() (bool, error) {
	normal, cut := steps(w.file.Normalizer, "normalizers"), steps(w.file.Cutter, "pretokenizers")
	kinds := kindsOf(normal) + "|" + kindsOf(cut)
	blank := func(o object) bool {
		pattern, _ := o["pattern"].(object)
		return pattern["String"] == " "
	}
	switch {
	case kinds == "Prepend+Replace|" && normal[0]["prepend"] == space && blank(normal[1]) && normal[1]["content"] == space:
		return true, nil
	case (kinds == "Replace|" || kinds == "Replace|Split" && blank(cut[0])) && blank(normal[0]) && normal[0]["content"] == space: // nothing is left to split
		return false, nil
	case kinds == "|Metaspace" && cut[0]["replacement"] == space && cut[0]["split"] == false && cut[0]["prepend_scheme"] != "first":
		return cut[0]["prepend_scheme"] != "never", nil
	}
	return false, refuse("its normalizer and pre_tokenizer are %.80q, or set otherwise than SentencePiece's", kinds)
}
