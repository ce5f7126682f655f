package tokenizer

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls do for every number below n on at most that many goroutines; 0
// stands for as many as Go runs at a time.
func inParallel(n, threads int, do func(i int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(threads, n) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	all.Wait()
}

// EncodeBatch encodes texts on at most that many goroutines, 0 for as many as Go runs
// at a time. The result is in the order of the texts and does not depend on threads.
func EncodeBatch(t Tokenizer, texts [][]byte, threads int) [][]int32 {
	out := make([][]int32, len(texts))
	inParallel(len(texts), threads, func(i int) { out[i] = t.Encode(nil, texts[i]) })
	return out
}

// EncodeBatch is EncodeText of many texts, which are padded to one length if padding
// is asked for. Of several errors the first text's is returned.
func (p *Pipeline) EncodeBatch(texts [][]byte, o EncodeOptions, threads int) ([]*Encoding, error) {
	out, errs := make([]*Encoding, len(texts)), make([]error, len(texts))
	inParallel(len(texts), threads, func(i int) { out[i], errs[i] = p.EncodeText(texts[i], o) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if pad := p.paddingFor(&o); pad != nil {
		pad.pad(out)
	}
	return out, nil
}

// Count is the number of ids that Encode makes of text.
func Count(t Tokenizer, text []byte) int { return len(t.Encode(nil, text)) }
