// Package rng draws random numbers without state: a value is a function of a key
// (seed, stream, step) and an index, computed by Philox4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011). Everything random in the
// engine comes from here: initial weights, dropout, data order, sampling. It is
// safe for concurrent use and gives the same bits on every platform.
package rng

// Streams are the uses of randomness. A use that needs many streams adds a number
// below 2^32 to its constant.
const (
	StreamInit    uint64 = (iota + 1) << 32 // initial weights, + number of the parameter
	StreamDropout                           // + number of the place in the model
	StreamData                              // order and splits of data
	StreamSample                            // tokens drawn in generation
	StreamMisc                              // everything else
)

// Key selects a sequence of 2^64 values. Sequences of one seed never overlap.
type Key struct {
	Seed   uint64
	Stream uint64
	Step   uint64
}

// Sequence is a Key made ready: block i of its values is
// Philox([i low, i high, Counter[0], Counter[1]], Key).
type Sequence struct {
	Key     [2]uint32
	Counter [2]uint32
}

// Sequence returns the key's sequence. For one seed, different streams and steps
// give different ones, as Philox permutes its counters.
func (k Key) Sequence() Sequence {
	c := Philox([4]uint32{uint32(k.Stream), uint32(k.Stream >> 32), uint32(k.Step), uint32(k.Step >> 32)},
		[2]uint32{uint32(k.Seed), uint32(k.Seed >> 32)})
	return Sequence{Key: [2]uint32{c[0], c[1]}, Counter: [2]uint32{c[2], c[3]}}
}

// Block is block i: values 4i to 4i+3.
func (s *Sequence) Block(i uint64) [4]uint32 {
	return Philox([4]uint32{uint32(i), uint32(i >> 32), s.Counter[0], s.Counter[1]}, s.Key)
}

// Uint32 is value i of key's sequence, uniform over all uint32.
func Uint32(key Key, i uint64) uint32 {
	s := key.Sequence()
	return s.Block(i / 4)[i%4]
}

// Uint64 is made of values 2i and 2i+1, the first one low.
func Uint64(key Key, i uint64) uint64 {
	s := key.Sequence()
	b := s.Block(i / 2)
	return uint64(b[i%2*2+1])<<32 | uint64(b[i%2*2])
}

// Float64 is uniform in [0, 1): the upper 53 bits of Uint64.
func Float64(key Key, i uint64) float64 { return float64(Uint64(key, i)>>11) * 0x1p-53 }

// Float32 is uniform in [0, 1): the upper 24 bits of Uint32.
func Float32(key Key, i uint64) float32 { return float32(Uint32(key, i)>>8) * 0x1p-24 }

// Uint32s fills dst with values index, index+1, ... of key's sequence.
func Uint32s(dst []uint32, key Key, index uint64) {
	s := key.Sequence()
	s.words(dst, index)
}

// Float32s fills dst with Float32(key, index), Float32(key, index+1), ...
func Float32s(dst []float32, key Key, index uint64) {
	s := key.Sequence()
	var words [batch]uint32
	for len(dst) > 0 {
		n := min(len(dst), len(words))
		s.words(words[:n], index)
		for i, x := range words[:n] {
			dst[i] = float32(x>>8) * 0x1p-24
		}
		dst, index = dst[n:], index+uint64(n)
	}
}

// batch is the number of values that fills take at a time.
const batch = 256

// words writes values index, index+1, ..., one block for four of them.
func (s *Sequence) words(dst []uint32, index uint64) {
	if from := index % 4; from != 0 && len(dst) > 0 {
		block := s.Block(index / 4)
		n := copy(dst, block[from:])
		dst, index = dst[n:], index+uint64(n)
	}
	for ; len(dst) >= 4; index += 4 {
		i := index / 4
		dst[0], dst[1], dst[2], dst[3] = rounds(uint32(i), uint32(i>>32), s.Counter[0], s.Counter[1], s.Key[0], s.Key[1])
		dst = dst[4:]
	}
	if len(dst) > 0 {
		block := s.Block(index / 4)
		copy(dst, block[:])
	}
}
