package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// writeFiles writes files into a new folder.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConfigNamesTokens(t *testing.T) {
	file, err := os.ReadFile("testdata/pipelines/llama2.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := writeFiles(t, map[string]string{
		"tokenizer.json":          string(file),
		"special_tokens_map.json": `{"bos_token": "</s>", "eos_token": {"content": "</s>", "lstrip": false}}`,
		"tokenizer_config.json":   `{"bos_token": "<s>", "pad_token": null, "chat_template": [{"name": "default", "template": "T"}], "add_bos_token": true}`,
	})
	for _, path := range []string{dir, filepath.Join(dir, "tokenizer.json")} {
		tok, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		bos, _ := tok.BOS()
		eos, _ := tok.EOS()
		if _, ok := tok.PAD(); bos != 1 || eos != 2 || ok {
			t.Errorf("BOS %d, EOS %d, PAD %v, want 1, 2, none", bos, eos, ok)
		}
		if c := tok.(*Pipeline).Config(); c.ChatTemplate != "T" || !*c.AddBOS {
			t.Errorf("config %+v", c)
		}
	}
}

// The two older files give what the tokenizer.json of the same model gives.
func TestGPT2Files(t *testing.T) {
	data, err := os.ReadFile("testdata/pipelines/gpt2.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Model struct {
			Vocab  map[string]int32
			Merges [][2]string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	vocab, err := json.Marshal(file.Model.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	merges := "#version: 0.2\n"
	for _, m := range file.Model.Merges {
		merges += m[0] + " " + m[1] + "\n"
	}
	dir := writeFiles(t, map[string]string{"vocab.json": string(vocab), "merges.txt": merges, "special_tokens_map.json": `{"eos_token": "[SEP]"}`})
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Load("testdata/pipelines/gpt2.json")
	if err != nil {
		t.Fatal(err)
	}
	if eos, ok := tok.EOS(); !ok || eos != 3 {
		t.Errorf("EOS %d, want 3", eos)
	}
	for _, text := range pipelineTexts(t) {
		if got, want := tok.Encode(nil, []byte(text)), whole.Encode(nil, []byte(text)); !slices.Equal(got, want) {
			t.Fatalf("%q: ids %v, want %v", text, got, want)
		}
	}
}

func TestBatchesDoNotDependOnThreads(t *testing.T) {
	tok, err := Load("testdata/pipelines/bert-truncated.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, text := range pipelineTexts(t) {
		texts = append(texts, []byte(text))
	}
	one, many := fmt.Sprint(EncodeBatch(tok, texts, 1)), fmt.Sprint(EncodeBatch(tok, texts, 7))
	if one != many {
		t.Error("ids depend on the number of threads")
	}
	encodings, err := tok.(*Pipeline).EncodeBatch(texts, EncodeOptions{AddSpecial: true}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range encodings {
		if e.Len() != 16 {
			t.Fatalf("text %d has %d ids, want 16", i, e.Len())
		}
	}
}

// Streamed text is what Decode gives, whatever the chain.
func TestStreamsEqualDecode(t *testing.T) {
	for _, name := range []string{"gpt2", "llama2", "bert", "t5", "clip", "unigram-bytes", "decode-fuse-replace", "decode-ctc", "decode-none"} {
		tok, err := Load("testdata/pipelines/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder(tok)
		for _, text := range pipelineTexts(t) {
			ids := tok.Encode(nil, []byte(text))
			var got []byte
			for _, id := range ids {
				got = d.Append(got, id)
			}
			got = d.Flush(got)
			if want := tok.Decode(nil, ids); string(got) != string(want) {
				t.Fatalf("%s: %q: streamed %q, want %q", name, text, got, want)
			}
		}
	}
}
