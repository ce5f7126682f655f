// Package chat turns a conversation into the text that a model was trained on: by
// the model's own template, in Jinja as transformers uses it. The command chat calls
// it. A Template is safe for concurrent use; what it renders is a function of its
// source and of the conversation. Templates run in this process and reach nothing
// outside it: they have no loader.
package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
)

// Message is a turn of a conversation: role and content, and whatever else the
// template reads of it.
type Message map[string]any

// Options are what a template may ask for beside the messages.
type Options struct {
	Tools               []any // descriptions of functions; see Keys.Parse
	AddGenerationPrompt bool
	// Variables are further ones, such as enable_thinking.
	Variables map[string]any
	// Keys is the order of the keys of what Keys.Parse read, or nil.
	Keys *Keys
}

// Template is a parsed template.
type Template struct {
	template *exec.Template
	special  map[string]string
}

// ErrNone is wrapped where a model has no template.
var ErrNone = errors.New("the model has no chat template")

// New parses a template. special are the texts of special tokens by their names,
// such as bos_token, which templates use.
func New(source string, special map[string]string) (_ *Template, err error) {
	defer func() { // a file that is no template must not end the program
		if r := recover(); r != nil {
			err = fmt.Errorf("chat template: %v", r)
		}
	}()
	c := config.New()
	t, err := exec.NewTemplate(rootName, c, noLoader{rewrite(source)}, environment())
	if err != nil {
		return nil, fmt.Errorf("chat template: %w", short(err, rewrite(source)))
	}
	return &Template{t, special}, nil
}

// Load finds the template of a folder of transformers: chat_template.jinja, or
// chat_template in tokenizer_config.json.
func Load(dir string) (*Template, error) {
	var settings map[string]any
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
	if err == nil {
		err = json.Unmarshal(data, &settings)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read chat template: tokenizer_config.json: %w", err)
	}
	special := map[string]string{}
	for key, value := range settings {
		if !strings.HasSuffix(key, "_token") {
			continue
		}
		if o, ok := value.(map[string]any); ok { // an added token with its settings
			value = o["content"]
		}
		if text, ok := value.(string); ok {
			special[key] = text
		}
	}
	source, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja"))
	if err == nil {
		return New(string(source), special)
	}
	text, ok := defaultTemplate(settings["chat_template"])
	if !ok {
		return nil, fmt.Errorf("%w: neither chat_template.jinja nor chat_template in tokenizer_config.json is in %s", ErrNone, dir)
	}
	return New(text, special)
}

// defaultTemplate takes the template, or the one called default of a list.
func defaultTemplate(value any) (string, bool) {
	if text, ok := value.(string); ok {
		return text, true
	}
	list, _ := value.([]any)
	for _, x := range list {
		if o, _ := x.(map[string]any); o["name"] == "default" {
			text, ok := o["template"].(string)
			return text, ok
		}
	}
	return "", false
}

// Render makes the text of a conversation.
func (t *Template) Render(messages []Message, o Options) (string, error) {
	text, _, err := t.RenderMarked(messages, o)
	return text, err
}

// Span is a part of a text, in bytes.
type Span struct{ Start, End int }

// RenderMarked is Render, and says which parts the template marks as the model's own
// by {% generation %}: those are what training on a conversation should count.
func (t *Template) RenderMarked(messages []Message, o Options) (text string, generated []Span, err error) {
	variables := map[string]any{"messages": plain(messages), "add_generation_prompt": o.AddGenerationPrompt, "strftime_now": now, keysVariable: o.Keys}
	if o.Tools != nil {
		variables["tools"] = o.Tools
	}
	for name, token := range t.special {
		variables[name] = token
	}
	for name, value := range o.Variables {
		variables[name] = value
	}
	variables["raise_exception"] = func(message string) (string, error) { return "", &raised{message} }
	out := &marker{}
	defer func() { // a template must not end the program
		if r := recover(); r != nil {
			err = fmt.Errorf("chat template: %v", r)
		}
	}()
	if err := t.template.Execute(out, exec.NewContext(variables)); err != nil {
		return "", nil, fmt.Errorf("chat template: %w", short(err, ""))
	}
	return out.String(), out.spans, nil
}

// plain makes messages the maps and lists that templates know.
func plain(messages []Message) []any {
	out := make([]any, len(messages))
	for i, m := range messages {
		out[i] = map[string]any(m)
	}
	return out
}

// raised is what a template says by raise_exception.
type raised struct{ message string }

func (r *raised) Error() string { return r.message }

// now is strftime_now: today's date, as some templates write it.
func now(format string) string {
	var out strings.Builder
	moment := time.Now()
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		layout, ok := map[byte]string{'d': "02", 'm': "01", 'Y': "2006", 'y': "06", 'b': "Jan", 'B': "January", 'H': "15", 'M': "04", 'S': "05", 'A': "Monday", 'a': "Mon"}[format[i]]
		if !ok {
			out.WriteString("%" + format[i:i+1])
			continue
		}
		out.WriteString(moment.Format(layout))
	}
	return out.String()
}

// short is an error of the library without the template's whole text in it.
func short(err error, source string) error {
	var r *raised
	if errors.As(err, &r) {
		return r
	}
	text := err.Error()
	if source != "" {
		text = strings.ReplaceAll(text, source, "...")
	}
	if len(text) > 600 {
		text = text[:600] + "..."
	}
	return errors.New(text)
}

const rootName = "template"

// noLoader knows the template itself and nothing else.
type noLoader struct{ source string }

func (l noLoader) Read(path string) (io.Reader, error) {
	if path != rootName {
		return nil, fmt.Errorf("a chat template cannot read %q", path)
	}
	return strings.NewReader(l.source), nil
}

func (l noLoader) Resolve(path string) (string, error) { return path, nil }

func (l noLoader) Inherit(string) (loaders.Loader, error) { return l, nil }

// marker is the output, with the parts that were marked.
type marker struct {
	bytes.Buffer
	spans []Span
}
