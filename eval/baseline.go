package eval

import (
	"compress/gzip"
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
)

// Baselines is what simple models reach on the files that a language model is
// tested on, in bits per byte.
type Baselines struct {
	Unigram float64 `json:"unigram_bits_per_byte"` // bytes by their frequency in the training files, add-one smoothed
	Bigram  float64 `json:"bigram_bits_per_byte"`  // bytes by the byte before, Witten-Bell smoothed
	Gzip    float64 `json:"gzip_bits_per_byte"`    // compress/gzip level 9, each file alone
	Files   int     `json:"files"`
	Bytes   int64   `json:"bytes"`
}

// MeasureBaselines trains the baselines on the train files and measures them on
// the test files. No byte predicts another across a file's border. It is exact
// (counts are integers) and the same for any number of threads. Test files
// without a byte are a MetricError.
func MeasureBaselines(pool *par.Pool, train, test [][]byte) (Baselines, error) {
	counts, seen := countBytes(pool, test), countBytes(pool, train)
	b := Baselines{Files: len(test), Bytes: counts.bytes()}
	if b.Bytes == 0 {
		return Baselines{}, &MetricError{"bits_per_byte", "the test files are empty"}
	}
	n := float64(b.Bytes)
	b.Unigram = counts.unigramBits(seen) / n
	b.Bigram = counts.bigramBits(seen) / n
	b.Gzip = 8 * float64(gzipBytes(pool, test)) / n
	return b, nil
}

// byteCounts are the statistics of byte pairs within files.
type byteCounts struct {
	first [256]int64      // first bytes of files
	pairs [256][256]int64 // [byte before][byte]
}

// countBytes counts files, each worker into its own table.
func countBytes(pool *par.Pool, files [][]byte) *byteCounts {
	tables := make([]*byteCounts, pool.Threads())
	pool.For(len(files), 1, func(worker, lo, hi int) {
		if tables[worker] == nil {
			tables[worker] = new(byteCounts)
		}
		for _, file := range files[lo:hi] {
			tables[worker].add(file)
		}
	})
	all := new(byteCounts)
	for _, t := range tables {
		if t != nil {
			all.merge(t)
		}
	}
	return all
}

func (c *byteCounts) add(file []byte) {
	if len(file) == 0 {
		return
	}
	before := file[0]
	c.first[before]++
	for _, b := range file[1:] {
		c.pairs[before][b]++
		before = b
	}
}

func (c *byteCounts) merge(other *byteCounts) {
	for a := range c.pairs {
		c.first[a] += other.first[a]
		for b := range c.pairs[a] {
			c.pairs[a][b] += other.pairs[a][b]
		}
	}
}

// singles are the counts of bytes at any place.
func (c *byteCounts) singles() [256]int64 {
	all := c.first
	for a := range c.pairs {
		for b, n := range c.pairs[a] {
			all[b] += n
		}
	}
	return all
}

func (c *byteCounts) bytes() int64 {
	sum := int64(0)
	for _, n := range c.singles() {
		sum += n
	}
	return sum
}

// unigram is p(b) = (count(b) + 1) / (bytes + 256).
func (c *byteCounts) unigram() (p [256]float64) {
	n := float64(c.bytes() + 256)
	for b, count := range c.singles() {
		p[b] = float64(count+1) / n
	}
	return p
}

// unigramBits is the information in c's bytes for a unigram model of seen.
func (c *byteCounts) unigramBits(seen *byteCounts) float64 {
	p := seen.unigram()
	bits := 0.0
	for b, n := range c.singles() {
		bits += float64(float64(n) * information(p[b]))
	}
	return bits
}

// bigramBits is the information in c's bytes for a bigram model of seen. With N
// and T the number of bytes and of different bytes that followed a in seen,
//
//	p(b|a) = (count(a, b) + T*p(b)) / (N + T)
//
// where p(b) is the unigram (Witten and Bell, 1991); after an a that seen lacks,
// and at the beginning of a file, it is p(b).
func (c *byteCounts) bigramBits(seen *byteCounts) float64 {
	unigram := seen.unigram()
	bits := 0.0
	for b, n := range c.first {
		bits += float64(float64(n) * information(unigram[b]))
	}
	for a := range c.pairs {
		followed, different := int64(0), int64(0)
		for _, n := range seen.pairs[a] {
			followed += n
			different += min(n, 1)
		}
		for b, n := range c.pairs[a] {
			if n == 0 {
				continue
			}
			p := unigram[b]
			if followed > 0 {
				p = (float64(seen.pairs[a][b]) + float64(float64(different)*p)) / float64(followed+different)
			}
			bits += float64(float64(n) * information(p))
		}
	}
	return bits
}

// information is -log2(p), by the kernel's own logarithm.
func information(p float64) float64 { return -kernel.Log64(p) / math.Ln2 }

// gzipBytes is the size of all files, each compressed alone at level 9, headers
// and all.
func gzipBytes(pool *par.Pool, files [][]byte) int64 {
	sizes := make([]counter, len(files))
	writers := make([]*gzip.Writer, pool.Threads())
	pool.For(len(files), 1, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			if writers[worker] == nil {
				writers[worker], _ = gzip.NewWriterLevel(nil, gzip.BestCompression) // fails for a bad level only
			}
			w := writers[worker]
			w.Reset(&sizes[i])
			_, _ = w.Write(files[i]) // a counter never fails
			_ = w.Close()
		}
	})
	sum := int64(0)
	for _, n := range sizes {
		sum += int64(n)
	}
	return sum
}

// counter is a writer that keeps only the number of bytes.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
