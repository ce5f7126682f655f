package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Config is what tokenizer_config.json and special_tokens_map.json say of a
// tokenizer. Their many other settings choose Python classes and mean nothing here.
type Config struct {
	// BOS, EOS, PAD, UNK, SEP, CLS and MASK are the contents of special tokens, "" for
	// none.
	BOS, EOS, PAD, UNK, SEP, CLS, MASK string
	// ChatTemplate is the text of the template that makes one text of a conversation,
	// ChatTemplates those with other names.
	ChatTemplate  string
	ChatTemplates map[string]string
	// Class is tokenizer_class.
	Class string
	// AddBOS and AddEOS are add_bos_token and add_eos_token, nil where the file does
	// not say.
	AddBOS, AddEOS *bool
}

// tokenName is a token in a configuration: its content, or an object that has it.
type tokenName string

func (n *tokenName) UnmarshalJSON(data []byte) error {
	var object struct {
		Content string `json:"content"`
	}
	if len(data) > 0 && data[0] == '{' {
		err := json.Unmarshal(data, &object)
		*n = tokenName(object.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(n))
}

// configFile is what is read of both files.
type configFile struct {
	BOS      tokenName       `json:"bos_token"`
	EOS      tokenName       `json:"eos_token"`
	PAD      tokenName       `json:"pad_token"`
	UNK      tokenName       `json:"unk_token"`
	SEP      tokenName       `json:"sep_token"`
	CLS      tokenName       `json:"cls_token"`
	MASK     tokenName       `json:"mask_token"`
	Class    string          `json:"tokenizer_class"`
	AddBOS   *bool           `json:"add_bos_token"`
	AddEOS   *bool           `json:"add_eos_token"`
	Template json.RawMessage `json:"chat_template"`
}

// readConfig reads the configuration in a folder, nil if it has none.
// special_tokens_map.json is asked only for names that tokenizer_config.json lacks.
func readConfig(dir string) (*Config, error) {
	var all configFile
	found := false
	for _, name := range []string{"special_tokens_map.json", "tokenizer_config.json"} {
		data, err := readBounded(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var file configFile
		if err := json.Unmarshal(data, &file); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, name), err)
		}
		found = true
		file.fill(&all)
		all = file
	}
	if !found {
		return nil, nil
	}
	return all.config(dir)
}

// fill takes names that f lacks from an earlier file.
func (f *configFile) fill(earlier *configFile) {
	for _, pair := range [][2]*tokenName{
		{&f.BOS, &earlier.BOS}, {&f.EOS, &earlier.EOS}, {&f.PAD, &earlier.PAD}, {&f.UNK, &earlier.UNK},
		{&f.SEP, &earlier.SEP}, {&f.CLS, &earlier.CLS}, {&f.MASK, &earlier.MASK},
	} {
		if *pair[0] == "" {
			*pair[0] = *pair[1]
		}
	}
}

func (f *configFile) config(dir string) (*Config, error) {
	c := &Config{
		BOS: string(f.BOS), EOS: string(f.EOS), PAD: string(f.PAD), UNK: string(f.UNK), SEP: string(f.SEP), CLS: string(f.CLS), MASK: string(f.MASK),
		Class: f.Class, AddBOS: f.AddBOS, AddEOS: f.AddEOS,
	}
	if len(f.Template) > 0 && json.Unmarshal(f.Template, &c.ChatTemplate) != nil {
		var named []struct{ Name, Template string }
		if err := json.Unmarshal(f.Template, &named); err != nil {
			return nil, fmt.Errorf("read %s: chat_template: want a text or a list of names and templates: %w", filepath.Join(dir, "tokenizer_config.json"), err)
		}
		c.ChatTemplates = map[string]string{}
		for _, t := range named {
			c.ChatTemplates[t.Name] = t.Template
		}
		c.ChatTemplate = c.ChatTemplates["default"]
	}
	text, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja"))
	switch {
	case err == nil:
		c.ChatTemplate = string(text)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return c, nil
}

// use gives names of the configuration to BOS, EOS, PAD and Unknown where the
// vocabulary does not have [BOS] and so on.
func (p *Pipeline) use(c *Config) {
	p.config = c
	for _, name := range []struct {
		id   *int32
		text string
	}{{&p.bos, c.BOS}, {&p.eos, c.EOS}, {&p.pad, c.PAD}, {&p.unk, c.UNK}} {
		if id, ok := p.ID(name.text); ok && *name.id < 0 && name.text != "" {
			*name.id = id
		}
	}
}
