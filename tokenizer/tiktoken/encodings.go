package tiktoken

import "fmt"

// Encoding is what a rank file does not say.
type Encoding struct {
	Name     string
	Pattern  string
	Specials []Special // in the order of their ids
	ranks    int       // of the file that goes with it; 0 if another has as many
}

// The patterns, as they were first published: later releases of tiktoken write them
// with possessive quantifiers, which changes how fast they match but not what.
const (
	patternR50K   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	patternCL100K = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternO200K  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?` +
		`|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?` +
		`|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// encodings are those that tiktoken knows by name.
var encodings = []Encoding{
	{Name: "r50k_base", Pattern: patternR50K, ranks: 50256, Specials: []Special{{"<|endoftext|>", 50256}}},
	{Name: "gpt2", Pattern: patternR50K, Specials: []Special{{"<|endoftext|>", 50256}}},
	{Name: "p50k_base", Pattern: patternR50K, ranks: 50281, Specials: []Special{{"<|endoftext|>", 50256}}},
	{Name: "p50k_edit", Pattern: patternR50K, Specials: []Special{{"<|endoftext|>", 50256}, {"<|fim_prefix|>", 50281},
		{"<|fim_middle|>", 50282}, {"<|fim_suffix|>", 50283}}},
	{Name: "cl100k_base", Pattern: patternCL100K, ranks: 100256, Specials: []Special{{"<|endoftext|>", 100257}, {"<|fim_prefix|>", 100258},
		{"<|fim_middle|>", 100259}, {"<|fim_suffix|>", 100260}, {"<|endofprompt|>", 100276}}},
	{Name: "o200k_base", Pattern: patternO200K, ranks: 199998, Specials: []Special{{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
	{Name: "o200k_harmony", Pattern: patternO200K, Specials: harmonySpecials()},
}

// harmonySpecials are the special tokens of o200k_harmony: those with names, and
// reserved ones between and behind them.
func harmonySpecials() []Special {
	named := map[int32]string{
		199998: "<|startoftext|>", 199999: "<|endoftext|>", 200002: "<|return|>", 200003: "<|constrain|>", 200005: "<|channel|>",
		200006: "<|start|>", 200007: "<|end|>", 200008: "<|message|>", 200012: "<|call|>", 200018: "<|endofprompt|>",
	}
	var list []Special
	for id := int32(199998); id < 201088; id++ {
		text, ok := named[id]
		if !ok {
			text = fmt.Sprintf("<|reserved_%d|>", id)
		}
		list = append(list, Special{text, id})
	}
	return list
}

// EncodingNames lists the encodings.
func EncodingNames() []string {
	names := make([]string, len(encodings))
	for i := range encodings {
		names[i] = encodings[i].Name
	}
	return names
}

// EncodingByName finds an encoding. It must not be changed.
func EncodingByName(name string) (*Encoding, bool) {
	for i := range encodings {
		if encodings[i].Name == name {
			return &encodings[i], true
		}
	}
	return nil, false
}
