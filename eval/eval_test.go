package eval

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
)

func TestPerplexityAndBitsPerByte(t *testing.T) {
	f := func(name string, got float64, err error, want float64) {
		t.Helper()
		if err != nil || math.Abs(got-want) > 1e-14*want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
	ppl, err := Perplexity(0, 5)
	f("sure", ppl, err, 1)
	ppl, err = Perplexity(1000*math.Log(4096), 1000)
	f("uniform", ppl, err, 4096)
	bpb, err := BitsPerByte(1000*math.Log(256), 1000)
	f("uniform bytes", bpb, err, 8)
	bpb, err = BitsPerByte(10*math.Log(2), 40)
	f("ten coins in 40 bytes", bpb, err, 0.25)
	if ppl, err = Perplexity(1e9, 1); err != nil || !math.IsInf(ppl, 1) {
		t.Errorf("hopeless: %v, %v, want +Inf", ppl, err)
	}
}

func TestMetricsReject(t *testing.T) {
	f := func(err error, metric, want string) {
		t.Helper()
		var m *MetricError
		if !errors.As(err, &m) || m.Metric != metric || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s: %q", err, metric, want)
		}
	}
	_, err := Perplexity(1, 0)
	f(err, "perplexity", "there are 0 tokens")
	_, err = Perplexity(math.NaN(), 1)
	f(err, "perplexity", "the summed loss is NaN")
	_, err = BitsPerByte(1, -1)
	f(err, "bits_per_byte", "there are -1 bytes")
	_, err = BitsPerByte(-0.5, 1)
	f(err, "bits_per_byte", "the summed loss is -0.5")
	pool := par.New(1)
	defer pool.Close()
	_, err = MeasureBaselines(pool, [][]byte{[]byte("x")}, [][]byte{nil, {}})
	f(err, "bits_per_byte", "the test files are empty")
}

// naive computes the same by definition, byte after byte.
func naive(train, test [][]byte) (unigram, bigram float64) {
	count, total := map[byte]float64{}, 0.0
	after, follow := map[[2]byte]float64{}, map[byte]map[byte]bool{}
	followed := map[byte]float64{}
	for _, file := range train {
		for i, b := range file {
			count[b]++
			total++
			if i == 0 {
				continue
			}
			a := file[i-1]
			if follow[a] == nil {
				follow[a] = map[byte]bool{}
			}
			after[[2]byte{a, b}]++
			followed[a]++
			follow[a][b] = true
		}
	}
	n := 0.0
	for _, file := range test {
		for i, b := range file {
			n++
			p := (count[b] + 1) / (total + 256)
			unigram -= math.Log2(p)
			if i > 0 && followed[file[i-1]] > 0 {
				a := file[i-1]
				types := float64(len(follow[a]))
				p = (after[[2]byte{a, b}] + types*p) / (followed[a] + types)
			}
			bigram -= math.Log2(p)
		}
	}
	return unigram / n, bigram / n
}

func corpus() (train, test [][]byte) {
	words := strings.Fields("func return err if nil for range package import type struct map string int var")
	for i := range 60 {
		var b bytes.Buffer
		for j := range 1 + i*7%50 {
			b.WriteString(words[(i*31+j*j)%len(words)])
			b.WriteByte(" \n\t"[(i+j)%3])
		}
		if i%4 == 0 {
			test = append(test, append(b.Bytes(), 0xff, byte(i))) // bytes that training never saw
		} else {
			train = append(train, b.Bytes())
		}
	}
	return append(train, nil), append(test, nil)
}

func TestBaselinesEqualTheirDefinition(t *testing.T) {
	train, test := corpus()
	unigram, bigram := naive(train, test)
	var zipped bytes.Buffer
	size := 0
	for _, file := range test {
		w, err := gzip.NewWriterLevel(&zipped, 9)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(file)
		w.Close()
		size += len(file)
	}
	var first Baselines
	for threads := 1; threads <= 3; threads++ {
		pool := par.New(threads)
		got, err := MeasureBaselines(pool, train, test)
		pool.Close()
		if err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = got
		}
		if got != first {
			t.Errorf("%d threads: %+v, 1 thread: %+v", threads, got, first)
		}
	}
	testkit.Close(t, "unigram, bigram, gzip", []float64{first.Unigram, first.Bigram, first.Gzip}, []float64{unigram, bigram, 8 * float64(zipped.Len()) / float64(size)}, 0, 1e-12)
	if first.Files != len(test) || first.Bytes != int64(size) {
		t.Errorf("%d files, %d bytes, want %d, %d", first.Files, first.Bytes, len(test), size)
	}
}

func TestBaselinesWithoutTrainingData(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	got, err := MeasureBaselines(pool, nil, [][]byte{[]byte("abc")})
	if err != nil || got.Unigram != 8 || got.Bigram != 8 {
		t.Errorf("%+v, %v, want 8 bits per byte", got, err)
	}
}

func BenchmarkMeasureBaselines(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	train, test := corpus()
	b.SetBytes(int64(len(bytes.Join(append(train, test...), nil))))
	for b.Loop() {
		if _, err := MeasureBaselines(pool, train, test); err != nil {
			b.Fatal(err)
		}
	}
}
