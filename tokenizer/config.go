package tokenizer

// Config is what tokenizer_config.json and special_tokens_map.json say.
type Config struct {
	// BOS, EOS, PAD, UNK, SEP, CLS and MASK are the names of special tokens, "" for none.
	BOS, EOS, PAD, UNK, SEP, CLS, MASK string
	// Additional are the names of further special tokens.
	Additional []string
	// ChatTemplate is the text of the template that makes one text of a conversation;
	// ChatTemplates has those with other names.
	ChatTemplate  string
	ChatTemplates map[string]string
	// MaxLength is model_max_length, 0 if there is none.
	MaxLength int
	// Class is tokenizer_class.
	Class string
	// AddBOS, AddEOS and CleanUp are the settings of those names, nil where the file
	// does not say.
	AddBOS, AddEOS, CleanUp *bool
}
