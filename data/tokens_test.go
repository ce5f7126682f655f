package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// letters encodes each letter as its number from 1; other bytes give no token.
var letters = Encoder{SHA256: strings.Repeat("ab", 32), VocabSize: 27, Encode: func(dst []int32, text []byte) []int32 {
	for _, b := range text {
		if b >= 'a' && b <= 'z' {
			dst = append(dst, int32(b-'a')+1)
		}
	}
	return dst
}}

func texts(all ...string) []Document {
	docs := make([]Document, len(all))
	for i, text := range all {
		docs[i] = Document{Name: fmt.Sprint(i), Text: []byte(text)}
	}
	return docs
}

func open(t *testing.T, path string) *Tokens {
	t.Helper()
	tokens, err := openVerified(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			t.Error(err)
		}
	})
	return tokens
}

func TestWriteTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tokens")
	docs := texts("abc", "!!", "z z", "y")
	progress := int64(0)
	o := EncodeOptions{Progress: func(done, total int64) {
		if total != 9 {
			t.Errorf("total %d", total)
		}
		progress = done
	}}
	if err := WriteTokens(context.Background(), path, docs, letters, o); err != nil {
		t.Fatal(err)
	}
	got := open(t, path)
	if got.Documents() != 3 || got.Len() != 6 || got.Bytes() != 7 || got.VocabSize() != 27 || got.Path() != path || progress != 9 {
		t.Errorf("%d documents, %d tokens, %d bytes, vocabulary %d, progress %d", got.Documents(), got.Len(), got.Bytes(), got.VocabSize(), progress)
	}
	if got.TokenizerSHA256() != letters.SHA256 || got.TextSHA256() != TextSHA256(docs) || TextSHA256(docs) == TextSHA256(texts("abc", "!!", "z z", "x")) {
		t.Errorf("tokenizer %s, text %s", got.TokenizerSHA256(), got.TextSHA256())
	}
	for doc, want := range [][]int32{{1, 2, 3}, {26, 26}, {25}} {
		if ids := got.AppendDocument([]int32{7}, doc); !slices.Equal(ids, append([]int32{7}, want...)) || got.DocumentLen(doc) != int64(len(want)) {
			t.Errorf("document %d: %v", doc, ids)
		}
	}
	if sizes := []int64{got.DocumentBytes(0), got.DocumentBytes(1), got.DocumentBytes(2)}; !slices.Equal(sizes, []int64{3, 3, 1}) {
		t.Errorf("bytes: %v", sizes)
	}
}

// TestTokensLayout spells the format out, as other programs read it.
func TestTokensLayout(t *testing.T) {
	var want []byte
	u32 := func(v uint32) { want = binary.LittleEndian.AppendUint32(want, v) }
	u64 := func(all ...uint64) {
		for _, v := range all {
			want = binary.LittleEndian.AppendUint64(want, v)
		}
	}
	want = append(want, "CODEXTOK"...)
	u32(1)
	u32(2)
	u64(27, 0)
	want = append(want, bytes.Repeat([]byte{0xab}, 32)...)
	want = append(want, 1, 0, 2, 0, 3, 0, 0, 0)
	u64(0, 2, 3)
	u64(0, 2, 4)
	u64(2, 3, 4, 0)
	ab, c := sha256.Sum256([]byte("ab")), sha256.Sum256([]byte("c!"))
	text := sha256.Sum256(append(ab[:], c[:]...))
	want = append(want, text[:]...)
	sum := sha256.Sum256(want)
	want = append(want, sum[:]...)

	path := filepath.Join(t.TempDir(), "x.tokens")
	if err := WriteTokens(context.Background(), path, texts("ab", "c!"), letters, EncodeOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\ngot  %x\nwant %x", err, got, want)
	}
}

func TestTokensRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vocab := rapid.SampledFrom([]int{1, 100, 1 << 16, 1<<16 + 1, 1 << 20}).Draw(t, "vocabulary")
		docs := rapid.SliceOfN(rapid.SliceOfN(rapid.Int32Range(0, int32(vocab-1)), 1, 30), 1, 10).Draw(t, "documents")
		tokens := NewTokens(vocab, docs...)
		if err := tokens.Verify(); err != nil {
			t.Fatal(err)
		}
		total := int64(0)
		for i, want := range docs {
			total += int64(len(want))
			if got := tokens.AppendDocument(nil, i); !slices.Equal(got, want) {
				t.Errorf("document %d: got %v, want %v", i, got, want)
			}
		}
		if tokens.Documents() != len(docs) || tokens.Len() != total || tokens.Bytes() != total {
			t.Errorf("%d documents, %d tokens, %d bytes", tokens.Documents(), tokens.Len(), tokens.Bytes())
		}
	})
}

func TestWriteTokensIsTheSameForAnyThreads(t *testing.T) {
	var docs []Document
	for i := range 300 {
		docs = append(docs, Document{Name: fmt.Sprint(i), Text: bytes.Repeat([]byte{'a' + byte(i%26), ' '}, 20*i)})
	}
	docs = append(docs, Document{Name: "big", Text: bytes.Repeat([]byte("big"), windowBytes/3+1)}, docs[7])
	write := func(threads int) []byte {
		path := filepath.Join(t.TempDir(), "x.tokens")
		if err := WriteTokens(context.Background(), path, docs, letters, EncodeOptions{Threads: threads}); err != nil {
			t.Fatal(err)
		}
		image, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return image
	}
	one, three := write(1), write(3)
	if !bytes.Equal(one, three) {
		t.Error("threads change the file")
	}
	tokens, err := parseTokens("x", one)
	if err != nil || tokens.Documents() != len(docs)-1 || tokens.DocumentLen(tokens.Documents()-1) != 140 {
		t.Errorf("%d documents, %v", tokens.Documents(), err)
	}
}

func TestWriteTokensRejects(t *testing.T) {
	f := func(ctx context.Context, docs []Document, enc Encoder, want string, is error) {
		t.Helper()
		dir := t.TempDir()
		err := WriteTokens(ctx, filepath.Join(dir, "x.tokens"), docs, enc, EncodeOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || is != nil && !errors.Is(err, is) {
			t.Errorf("got %v, want %q", err, want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	ctx := context.Background()
	f(ctx, nil, letters, "there are no documents", ErrEmpty)
	f(ctx, texts("1", "2"), letters, "give no tokens", ErrEmpty)
	small := letters
	small.VocabSize = 3
	f(ctx, texts("ab", "abc"), small, "document 1: token 3 is not in a vocabulary of 3", nil)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	f(canceled, texts("ab"), letters, "canceled", context.Canceled)
}

func TestCacheTokens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	encoded := 0
	enc := letters
	enc.Encode = func(dst []int32, text []byte) []int32 {
		encoded++
		return letters.Encode(dst, text)
	}
	cache := func(docs []Document) *Tokens {
		t.Helper()
		tokens, err := CacheTokens(context.Background(), dir, "train", docs, enc, EncodeOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := tokens.Close(); err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	first := cache(texts("abc"))
	cache(texts("abc"))
	if encoded != 1 {
		t.Errorf("encoded %d times, want once", encoded)
	}
	cache(texts("abd"))
	enc.SHA256 = strings.Repeat("cd", 32)
	cache(texts("abc"))
	if encoded != 3 {
		t.Errorf("encoded %d times, want 3: another text, another tokenizer", encoded)
	}
	enc.SHA256 = letters.SHA256
	if err := os.Truncate(first.Path(), 150); err != nil {
		t.Fatal(err)
	}
	cache(texts("abc"))
	if encoded != 4 {
		t.Errorf("encoded %d times, want 4: the file was damaged", encoded)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 3 {
		t.Errorf("%d files in the cache, %v", len(left), err)
	}
}

// image is a token file of three documents.
func image(t testing.TB) []byte {
	var out bytes.Buffer
	w := newTokenWriter(&out, letters)
	for _, ids := range [][]int32{{1, 2, 3}, {4}, {5, 6}} {
		if err := w.add(ids, len(ids)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.finish(sha256.Sum256(nil)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOpenTokensRejects damages every byte and every length.
func TestOpenTokensRejects(t *testing.T) {
	good := image(t)
	if tokens, err := parseTokens("x", good); err != nil || tokens.Verify() != nil {
		t.Fatal(err)
	}
	check := func(what string, image []byte) {
		tokens, err := parseTokens("x", image)
		if err == nil {
			err = tokens.Verify()
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	for n := range good {
		check(fmt.Sprint("cut to ", n), good[:n])
		for bit := range 8 {
			damaged := bytes.Clone(good)
			damaged[n] ^= 1 << bit
			check(fmt.Sprintf("byte %d, bit %d", n, bit), damaged)
		}
	}
	check("longer", append(bytes.Clone(good), 0))

	outside := bytes.Clone(good)
	binary.LittleEndian.PutUint16(outside[headerBytes:], 27)
	check("a token outside the vocabulary", resealed(outside))
	if _, err := OpenTokens(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := OpenTokens(write(t, "empty", "")); !errors.Is(err, ErrCorrupt) {
		t.Errorf("empty: %v", err)
	}
	if _, err := OpenTokens(t.TempDir()); err == nil {
		t.Error("a folder opens")
	}
}

// resealed makes the hash at the end right.
func resealed(image []byte) []byte {
	if len(image) >= sha256.Size {
		sum := sha256.Sum256(image[:len(image)-sha256.Size])
		copy(image[len(image)-sha256.Size:], sum[:])
	}
	return image
}

// FuzzOpenTokens opens images whose hash is right, and uses what opens.
func FuzzOpenTokens(f *testing.F) {
	f.Add(image(f), 3, 2, true)
	f.Add(resealed(image(f)[:150]), 1, 1, false)
	f.Add([]byte{}, 1, 1, false)
	f.Fuzz(func(t *testing.T, image []byte, seqLen, stride int, fit bool) {
		tokens, err := parseTokens("x", resealed(bytes.Clone(image)))
		if err != nil || tokens.Verify() != nil {
			return
		}
		for doc := range tokens.Documents() {
			if ids := tokens.AppendDocument(nil, doc); int64(len(ids)) != tokens.DocumentLen(doc) || tokens.DocumentBytes(doc) < 0 {
				t.Fatalf("document %d: %d tokens, %d bytes", doc, len(ids), tokens.DocumentBytes(doc))
			}
		}
		seqLen = 1 + int(uint(seqLen)%64)
		o := LoaderOptions{SeqLen: seqLen, BatchSize: 2, Specials: Specials{0, None}, BestFit: fit, DocumentMask: true}
		l, err := NewLoader(tokens, o)
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		for step := range l.StepsPerEpoch() {
			l.Fill(&b, step, 0, l.StepRows(step))
		}
		e, err := NewEvaluation(tokens, EvaluationOptions{SeqLen: seqLen, BatchSize: 2, Specials: Specials{0, 0}, Stride: 1 + int(uint(stride)%uint(seqLen))})
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Batches() {
			e.Fill(&b, i)
		}
	})
}

func TestOpenTokenSplits(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	file := func(name string, enc Encoder, docs ...string) string {
		path := filepath.Join(dir, name)
		if err := WriteTokens(ctx, path, texts(docs...), enc, EncodeOptions{}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := letters
	other.SHA256 = strings.Repeat("cd", 32)
	f := func(val, test, want string) {
		t.Helper()
		c := DefaultConfig()
		c.SourcePath, c.ValPath, c.TestPath = filepath.Join(dir, "train.tokens"), val, test
		s, err := OpenTokenSplits(c)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.Train.Documents() != 2 || (s.Validation != nil) != (val != "") || (s.Test != nil) != (test != "") {
			t.Errorf("%+v", s)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	file("train.tokens", letters, "abcdefgh", "lmnopqrs")
	val := file("val.tokens", letters, "zyxwvuts")
	f("", "", "")
	f(val, "", "")
	f(val, file("leak.tokens", letters, "abcdefgh"), "document 0 of train and document 0 of test (similarity 1.00)")
	f(file("other.tokens", other, "zyxwvuts"), "", "encode both with one")
	f(write(t, "val.txt", "text"), "", "token files and texts do not mix")
	f(write(t, "bad.tokens", "text"), "", "data.val_path: damaged token file")
}
