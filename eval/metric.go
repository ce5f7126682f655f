package eval

import (
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// MetricError says why a metric has no value.
type MetricError struct {
	Metric  string
	Message string
}

func (e *MetricError) Error() string { return "metric " + e.Metric + ": " + e.Message }

// checkSum rejects sums of losses that mean nothing.
func checkSum(metric string, nll float64, count int64, what string) error {
	switch {
	case count <= 0:
		return &MetricError{metric, fmt.Sprintf("there are %d %s, want at least one: the data is empty or all of it is masked", count, what)}
	case math.IsNaN(nll) || nll < 0:
		return &MetricError{metric, fmt.Sprintf("the summed loss is %v, want 0 or above", nll)}
	}
	return nil
}

// Perplexity is exp(nll/tokens): nll is the summed negative log-likelihood, in
// nats, of that many tokens. It compares models of one tokenizer only.
func Perplexity(nll float64, tokens int64) (float64, error) {
	if err := checkSum("perplexity", nll, tokens, "tokens"); err != nil {
		return 0, err
	}
	return kernel.Exp64(nll / float64(tokens)), nil
}

// BitsPerByte is nll/ln(2)/bytes: nll is the summed negative log-likelihood, in
// nats, of a text of that many bytes, by whatever tokens. It compares models of
// different tokenizers with one another and with compressors.
func BitsPerByte(nll float64, bytes int64) (float64, error) {
	if err := checkSum("bits_per_byte", nll, bytes, "bytes"); err != nil {
		return 0, err
	}
	return nll / math.Ln2 / float64(bytes), nil
}
