package chat

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRendered compares with what transformers renders: testdata/render.py made it.
func TestRendered(t *testing.T) {
	var cases []json.RawMessage
	var want []struct {
		Text, Error string
		Generated   []string
	}
	read(t, "cases.json", &cases)
	read(t, "rendered.json", &want)
	if len(cases) != len(want) || len(want) == 0 {
		t.Fatalf("%d cases, %d results", len(cases), len(want))
	}
	for i, raw := range cases {
		keys := &Keys{}
		value, err := keys.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		c := value.(map[string]any)
		name := fmt.Sprintf("%d-%s", i, c["template"])
		t.Run(name, func(t *testing.T) {
			text, generated, err := render(t, c, keys)
			if w := want[i]; w.Error != "" {
				if err == nil || !strings.Contains(err.Error(), w.Error) {
					t.Errorf("got %q and error %v, want error %q", text, err, w.Error)
				}
			} else if err != nil || text != w.Text || !slices.Equal(generated, w.Generated) {
				t.Errorf("got %v\n%q\nwant\n%q\ngenerated: got %q, want %q", err, text, w.Text, generated, w.Generated)
			}
		})
	}
}

func read(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func render(t *testing.T, c map[string]any, keys *Keys) (text string, generated []string, err error) {
	t.Helper()
	source, err := os.ReadFile("testdata/" + c["template"].(string) + ".jinja")
	if err != nil {
		t.Fatal(err)
	}
	special := map[string]string{}
	for key, value := range c["special"].(map[string]any) {
		special[key] = value.(string)
	}
	x, err := New(string(source), special)
	if err != nil {
		return "", nil, err
	}
	o := Options{Keys: keys}
	o.AddGenerationPrompt, _ = c["add_generation_prompt"].(bool)
	o.Tools, _ = c["tools"].([]any)
	o.Variables, _ = c["variables"].(map[string]any)
	var messages []Message
	for _, m := range c["messages"].([]any) {
		messages = append(messages, m.(map[string]any))
	}
	text, spans, err := x.RenderMarked(messages, o)
	for _, s := range spans {
		generated = append(generated, text[s.Start:s.End])
	}
	return text, generated, err
}

// FuzzRewrite wants no panic, and templates without conditional expressions and
// blocks as they were.
func FuzzRewrite(f *testing.F) {
	for _, name := range []string{"qwen3", "gemma3", "python", "marked"} {
		source, err := os.ReadFile("testdata/" + name + ".jinja")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Add("{{ a if b else 'c' }}{% set x = (1 if y else [2, {'a': 3}]) %}{# x #}")
	f.Add("{{ 'unclosed")
	f.Add("{%- if (a -%}")
	f.Fuzz(func(t *testing.T, source string) {
		got := rewrite(source)
		if !strings.ContainsAny(source, "{") && got != source {
			t.Errorf("text without tags: got %q, want %q", got, source)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"b": [1, 2.5, "x", null, {"a": true}], "a": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys := &Keys{}
		value, err := keys.Parse(data)
		if err != nil {
			return
		}
		w := writer{keys: keys}
		if err := w.write(value, 0); err != nil || !json.Valid([]byte(w.String())) {
			t.Errorf("%q becomes %q (%v)", data, w.String(), err)
		}
	})
}
