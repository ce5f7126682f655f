package data

import (
	"errors"
	"fmt"
	"go/build"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// prose is n words of a small vocabulary.
func prose(r *rand.Rand, n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d", r.IntN(500))
	}
	return words
}

// edited replaces n words.
func edited(r *rand.Rand, words []string, n int) []string {
	words = slices.Clone(words)
	for range n {
		words[r.IntN(len(words))] = fmt.Sprintf("new%d", r.IntN(1000))
	}
	return words
}

func document(name string, words []string) Document {
	return Document{Name: name, Text: []byte(strings.Join(words, " "))}
}

// family draws documents of which some are edited copies of others.
func family(t *rapid.T) []Document {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	var docs []Document
	var originals [][]string
	for i := range rapid.IntRange(3, 40).Draw(t, "documents") {
		words := prose(r, 1+r.IntN(150))
		if len(originals) > 0 && r.IntN(3) == 0 {
			words = edited(r, originals[r.IntN(len(originals))], r.IntN(8))
		}
		originals = append(originals, words)
		docs = append(docs, document(fmt.Sprint(i), words))
	}
	return docs
}

// shingleStrings is the definition of a document's shingles.
func shingleStrings(d Document) map[string]bool {
	words := strings.Fields(string(d.Text))
	all := map[string]bool{}
	for i := 0; i == 0 || i+shingleWords <= len(words); i++ {
		all[strings.Join(words[i:min(i+shingleWords, len(words))], " ")] = true
	}
	return all
}

// similarity is the definition: shared shingles over all shingles.
func similarity(x, y map[string]bool) float64 {
	both := 0
	for s := range x {
		if y[s] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// firsts gives the first document of each one's group, from all pairs.
func firsts(n int, alike func(i, j int) bool) []int {
	group := make([]int, n)
	for i := range group {
		group[i] = i
		for j := range i {
			if !alike(i, j) || group[i] == group[j] {
				continue
			}
			from, to := max(group[i], group[j]), min(group[i], group[j])
			for k := range i + 1 {
				if group[k] == from {
					group[k] = to
				}
			}
		}
	}
	return group
}

func TestFindSimilarIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := family(t)
		threshold := rapid.SampledFrom([]float64{0.75, 0.8, 0.9, 1}).Draw(t, "threshold")
		sets := make([]map[string]bool, len(docs))
		for i, d := range docs {
			sets[i] = shingleStrings(d)
		}
		want := firsts(len(docs), func(i, j int) bool { return similarity(sets[i], sets[j]) >= threshold })
		found := findSimilar(textItems(docs), threshold, rapid.IntRange(1, 3).Draw(t, "threads"))
		links := 0
		for i := range docs {
			if got := int(found.root(int32(i))); got != want[i] {
				t.Fatalf("document %d is in the group of %d, want %d", i, got, want[i])
			}
			if want[i] != i {
				links++
			}
		}
		if len(found.links) != links {
			t.Errorf("%d links, want %d", len(found.links), links)
		}
		for _, l := range found.links {
			if s := similarity(sets[l.a], sets[l.b]); s != l.similarity || s < threshold {
				t.Errorf("link of %d and %d says %v, is %v", l.a, l.b, l.similarity, s)
			}
		}
	})
}

func TestShinglesIgnoreWhatIsBetweenWords(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		if got := jaccard(shingleSet(textShingles(nil, []byte(a))), shingleSet(textShingles(nil, []byte(b)))) == 1; got != same {
			t.Errorf("%q and %q: same is %v", a, b, got)
		}
	}
	f("a b c d e f", "a,b;c(d) [e]\n\tf", true)
	f("a b c d e f", "a b c d e g", false)
	f("a b c", "a b", false)
	f("a b", "b a", false)
	f("", "", true)
	f("", "...", false)
	f("...", "..!", false)
	f("caf\u00e9 x", "caf\u00e8 x", false)
	f("\u4f60\u597d\u4e16\u754c\u4eba", "\u4f60 \u597d\u3002\u4e16 \u754c\u4eba", false) // U+3002 is a word
	f("\u4f60\u597d\u4e16\u754c\u4eba", "\u4f60 \u597d \u4e16 \u754c\u4eba", true)
	f("ab", "a b", false)
}

func TestSplitIsDisjointCompleteAndReproducible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := family(t)
		o := SplitOptions{
			Seed: rapid.Uint64().Draw(t, "split seed"), Similarity: 0.8, Threads: 1,
			Validation: Share{rapid.SampledFrom([]float64{0, 0.05, 0.3}).Draw(t, "validation"), rapid.Int64Range(0, 2000).Draw(t, "cap")},
			Test:       Share{rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(t, "test"), 0},
		}
		s, err := Split(docs, o)
		if err != nil {
			if strings.Contains(err.Error(), "can't be split") {
				t.Skip("too few groups")
			}
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, side := range [][]Document{s.Train, s.Validation, s.Test} {
			for i, d := range side {
				seen[d.Name]++
				if i > 0 && slices.IndexFunc(docs, func(o Document) bool { return o.Name == side[i-1].Name }) >
					slices.IndexFunc(docs, func(o Document) bool { return o.Name == d.Name }) {
					t.Errorf("%s comes before %s", side[i-1].Name, d.Name)
				}
			}
		}
		for _, d := range docs {
			if seen[d.Name] != 1 {
				t.Errorf("document %s is %d times in the split", d.Name, seen[d.Name])
			}
		}
		if len(s.Train) == 0 || (len(s.Validation) > 0) != (o.Validation.Ratio > 0) || (len(s.Test) > 0) != (o.Test.Ratio > 0) {
			t.Errorf("sides of %d, %d and %d documents", len(s.Train), len(s.Validation), len(s.Test))
		}
		if err := CheckLeaks(0.8, Side{"train", s.Train}, Side{"validation", s.Validation}, Side{"test", s.Test}); err != nil {
			t.Error(err)
		}
		total := float64(textBytes(docs))
		checkSize(t, s.Test, min(o.Test.Ratio*total, total))
		checkSize(t, s.Validation, min(o.Validation.Ratio*total, capped(o.Validation.MaxBytes, total)))

		o.Threads = 3
		again, err := Split(docs, o)
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("three threads give another split (%v)", err)
		}
		shuffled := slices.Clone(docs)
		r := rand.New(rand.NewPCG(1, 2))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, err = Split(shuffled, o)
		if err != nil || sorted(again.Test) != sorted(s.Test) || sorted(again.Validation) != sorted(s.Validation) {
			t.Errorf("another order of documents gives another split (%v)", err)
		}
	})
}

func capped(limit int64, total float64) float64 {
	if limit == 0 {
		return total
	}
	return float64(limit)
}

// checkSize allows a side to be over its limit only if it is one group of
// documents that were too large all.
func checkSize(t *rapid.T, side []Document, limit float64) {
	if float64(textBytes(side)) <= limit || len(side) == 0 {
		return
	}
	if found := findSimilar(textItems(side), 0.8, 1); len(found.groups()) > 1 {
		t.Errorf("a side has %d bytes in %d groups, limit %v", textBytes(side), len(found.groups()), limit)
	}
}

func sorted(docs []Document) string {
	all := strings.Fields(names(docs))
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestSplitFollowsTheSeed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var docs []Document
	for i := range 200 {
		docs = append(docs, document(fmt.Sprint(i), prose(r, 20+r.IntN(30))))
	}
	split := func(seed uint64, docs []Document) string {
		s, err := Split(docs, SplitOptions{Seed: seed, Test: Share{0.1, 0}})
		if err != nil {
			t.Fatal(err)
		}
		if share := float64(textBytes(s.Test)) / float64(textBytes(docs)); share < 0.09 || share > 0.1 {
			t.Errorf("test has %.3f of the bytes", share)
		}
		return names(s.Test)
	}
	if split(1, docs) == split(2, docs) {
		t.Error("two seeds give one split")
	}
	stayed := 0
	more := append(slices.Clone(docs), document("one", prose(r, 40)), document("two", prose(r, 40)))
	for _, name := range strings.Fields(split(1, more)) {
		if slices.Contains(strings.Fields(split(1, docs)), name) {
			stayed++
		}
	}
	if stayed < 15 {
		t.Errorf("two more documents leave only %d in test", stayed)
	}
}

func TestSplitRejects(t *testing.T) {
	o := SplitOptions{Validation: Share{0.1, 0}, Test: Share{0.1, 0}}
	if _, err := Split(nil, o); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	twins := []Document{document("a", []string{"x"}), document("b", []string{"x"}), document("c", []string{"y"})}
	if _, err := Split(twins, o); err == nil || !strings.Contains(err.Error(), "3 documents in 2 groups of near-identical ones can't be split into 3 parts") {
		t.Errorf("too few: %v", err)
	}
}

func TestCheckLeaksRejects(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	words := prose(r, 200)
	other := document("other", prose(r, 200))
	f := func(leak Document, want string) {
		t.Helper()
		err := CheckLeaks(0.8, Side{"train", []Document{other, leak}}, Side{"test", []Document{document("original", words)}})
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", leak.Name, err, want)
		}
	}
	f(document("copy", words), "copy of train and original of test (similarity 1.00)")
	f(document("edit", edited(r, words, 3)), "edit of train and original of test (similarity 0.8")
	f(document("rewrite", edited(r, words, 60)), "")
	var many, held []Document
	for i := range 8 {
		w := prose(r, 50)
		many, held = append(many, document(fmt.Sprint("m", i), w)), append(held, document(fmt.Sprint("h", i), w))
	}
	if err := CheckLeaks(0.8, Side{"a", many}, Side{"b", held}); err == nil || !strings.Contains(err.Error(), "and 3 more") {
		t.Errorf("many: %v", err)
	}
}

func TestLoad(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var lines strings.Builder
	for range 60 {
		lines.WriteString(strings.Join(prose(r, 40), " ") + "\n")
	}
	c := DefaultConfig()
	c.SourcePath, c.DocumentBytes = write(t, "source.txt", lines.String()), 100
	s, stats, err := Load(c)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Documents != len(s.Train)+len(s.Validation)+len(s.Test) || len(s.Validation) == 0 || len(s.Test) == 0 {
		t.Errorf("%d, %d, %d documents of %+v", len(s.Train), len(s.Validation), len(s.Test), stats)
	}

	c.ValPath = write(t, "val.jsonl", fmt.Sprintf("%q\n", strings.Join(prose(r, 30), " ")))
	if s, _, err = Load(c); err != nil || len(s.Validation) != 1 || len(s.Test) == 0 {
		t.Errorf("val_path: %v", err)
	}
	first, _, _ := strings.Cut(lines.String(), "\n")
	c.TestPath = write(t, "test.jsonl", fmt.Sprintf("%q\n", first+"."))
	if _, _, err = Load(c); !errors.Is(err, ErrLeak) {
		t.Errorf("a test document from the source: got %v", err)
	}
	c.TestPath = write(t, "empty.jsonl", "\n\" \"\n")
	if _, _, err = Load(c); !errors.Is(err, ErrEmpty) || !strings.Contains(err.Error(), "data.test_path") || !strings.Contains(err.Error(), "1 empty") {
		t.Errorf("empty: got %v", err)
	}
	c.TestPath, c.SourcePath = "", filepath.Join(t.TempDir(), "none")
	if _, _, err = Load(c); err == nil || !strings.Contains(err.Error(), "data.source_path") {
		t.Errorf("missing: got %v", err)
	}
	c.Format = "csv"
	if _, _, err = Load(c); err == nil || !strings.Contains(err.Error(), "data.format") {
		t.Errorf("invalid: got %v", err)
	}
}

// BenchmarkSplit splits the Go toolchain's sources.
func BenchmarkSplit(b *testing.B) {
	dir := filepath.Join(build.Default.GOROOT, "src")
	if _, err := os.Stat(dir); err != nil {
		b.Skip("no Go sources here")
	}
	c := DefaultConfig()
	c.InvalidUTF8 = "skip"
	c.Exclude = append(c.Exclude, "testdata", "vendor")
	corpus, err := ReadFolder(dir, c)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(corpus.Stats.Bytes)
	for b.Loop() {
		s, err := Split(corpus.Documents, SplitOptions{Seed: 42, Validation: Share{0.05, 1e6}, Test: Share{0.05, 1e6}})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(s.Duplicates), "duplicates")
	}
}
