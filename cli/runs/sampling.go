package runs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/model"
)

// SamplingFlags are the flags by which commands say how tokens are drawn.
type SamplingFlags struct {
	generate.Sampling
	Greedy bool
	Stop   []string // strings that end a text
	Ignore bool     // go on past the tokens that end a text

	bias, banned []string
	flags        *pflag.FlagSet
}

// Add adds the flags to a command's.
func (s *SamplingFlags) Add(f *pflag.FlagSet) {
	s.flags = f
	f.Float64Var(&s.Temperature, "temperature", 1, "of the sampling; 0 takes the likeliest token")
	f.BoolVar(&s.Greedy, "greedy", false, "take the likeliest token always")
	f.IntVar(&s.TopK, "top-k", 0, "draw among that many tokens; 0 is off")
	f.Float64Var(&s.TopP, "top-p", 1, "draw among the likeliest tokens of that total probability; 1 is off")
	f.Float64Var(&s.MinP, "min-p", 0, "draw among tokens of at least that share of the likeliest one's probability; 0 is off")
	f.Float64Var(&s.RepetitionPenalty, "repetition-penalty", 1, "divide the logits of tokens of prompt and text by it; 1 is off")
	f.Float64Var(&s.PresencePenalty, "presence-penalty", 0, "taken off the logits of tokens that the text has")
	f.Float64Var(&s.FrequencyPenalty, "frequency-penalty", 0, "taken off the logits of tokens for each time that the text has them")
	f.StringSliceVar(&s.bias, "logit-bias", nil, "ID=NUMBER added to a token's logit; may be repeated")
	f.StringSliceVar(&s.banned, "ban", nil, "id of a token that is never drawn; may be repeated")
	f.StringArrayVar(&s.Stop, "stop", nil, "string that ends the text and is no part of it; may be repeated")
	f.BoolVar(&s.Ignore, "ignore-eos", false, "go on past the tokens that end a text")
	f.Uint64Var(&s.Seed, "seed", 42, "of the sampling")
}

// Resolve takes what the model's generation_config.json says where no flag does, and
// checks everything.
func (s *SamplingFlags) Resolve(command string, g model.Generation) error {
	if g.Sample != nil && !*g.Sample && !s.flags.Changed("temperature") {
		s.Greedy = true
	}
	from(s, "temperature", &s.Temperature, g.Temperature)
	from(s, "top-k", &s.TopK, g.TopK)
	from(s, "top-p", &s.TopP, g.TopP)
	from(s, "min-p", &s.MinP, g.MinP)
	from(s, "repetition-penalty", &s.RepetitionPenalty, g.RepetitionPenalty)
	if s.Greedy {
		s.Temperature = 0
	}
	for _, x := range s.bias {
		id, value, ok := strings.Cut(x, "=")
		n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 32)
		v, err2 := strconv.ParseFloat(strings.TrimSpace(value), 32)
		if !ok || err != nil || err2 != nil || n < 0 {
			return cmdenv.Usagef("%s: --logit-bias: want ID=NUMBER, got %q", command, x)
		}
		s.Bias = append(s.Bias, generate.Bias{ID: int32(n), Value: float32(v)})
	}
	ids, err := ParseIDs(strings.Join(s.banned, ","))
	if err != nil {
		return cmdenv.Usagef("%s: --ban: %w", command, err)
	}
	s.Banned = ids
	if slices.Contains(s.Stop, "") {
		return cmdenv.Usagef("%s: --stop: the string is empty", command)
	}
	if err := s.Validate(); err != nil {
		return cmdenv.Usagef("%s: %w", command, err)
	}
	return nil
}

func from[T any](s *SamplingFlags, flag string, to, value *T) {
	if value != nil && !s.flags.Changed(flag) {
		*to = *value
	}
}

// Stopper cuts a text at the stop strings.
func (s *SamplingFlags) Stopper() *generate.Stopper {
	x := &generate.Stopper{}
	for _, text := range s.Stop {
		x.Stops = append(x.Stops, []byte(text))
	}
	return x
}

// ParseIDs reads token ids separated by commas or spaces.
func ParseIDs(text string) ([]int32, error) {
	var ids []int32
	for _, x := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '[' || r == ']' }) {
		n, err := strconv.ParseInt(x, 10, 32)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("want token ids like 1,2,3, got %q", x)
		}
		ids = append(ids, int32(n))
	}
	return ids, nil
}
