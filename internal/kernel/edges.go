package kernel

import (
	"bufio"
	_ "embed"
	"fmt"
	"math"
	"strings"

	"github.com/aries-serpent/codexml/internal/par"
)

// edgeVectors are steps of bfloat16 chains at the edges of the format and what
// VDPBF16PS gives for them. The file's head explains it.
//
//go:embed testdata/vdpbf16ps.txt
var edgeVectors string

// edgeVector is one step: c plus the products of two pairs.
type edgeVector struct {
	c       float32
	a, b    [2]uint16 // lower element first
	want    float32
	comment string
}

func readEdgeVectors(text string) (all []edgeVector, err error) {
	scanner := bufio.NewScanner(strings.NewReader(text))
	for line := 1; scanner.Scan(); line++ {
		fields, comment, _ := strings.Cut(scanner.Text(), "#")
		if strings.TrimSpace(fields) == "" {
			continue
		}
		var c, want uint32
		v := edgeVector{comment: strings.TrimSpace(comment)}
		if _, err := fmt.Sscanf(fields, "%x %x %x %x %x %x", &c, &v.a[0], &v.a[1], &v.b[0], &v.b[1], &want); err != nil {
			return nil, fmt.Errorf("testdata/vdpbf16ps.txt: line %d: want six hexadecimal numbers, got %q", line, fields)
		}
		v.c, v.want = math.Float32frombits(c), math.Float32frombits(want)
		all = append(all, v)
	}
	return all, scanner.Err()
}

// CheckBF16 computes recorded edge cases of the bfloat16 rule with the tier in
// use. An error means that this processor rounds or flushes otherwise: a lower
// tier must be used.
func CheckBF16() error {
	all, err := readEdgeVectors(edgeVectors)
	if err != nil {
		return err
	}
	pool := par.New(1)
	defer pool.Close()
	g := NewGemmer(pool).Seq(0)
	for _, v := range all {
		if got := v.compute(g); math.Float32bits(got) != math.Float32bits(v.want) {
			return fmt.Errorf("tier %v: %08x + (%04x %04x) . (%04x %04x): got %08x, want %08x (%s)", Active(),
				math.Float32bits(v.c), v.a[0], v.a[1], v.b[0], v.b[1], math.Float32bits(got), math.Float32bits(v.want), v.comment)
		}
	}
	return nil
}

// compute takes the step in every element of a tile and returns the one that
// differs from the others, if any does.
func (v *edgeVector) compute(g *SeqGemm) float32 {
	const m, n = 8, 48
	var a [2 * m]uint16
	var b [2 * n]uint16
	var c [m * n]float32
	for i := range a {
		a[i] = v.a[i%2]
	}
	for i := range b {
		b[i] = v.b[i%2]
	}
	for i := range c {
		c[i] = v.c
	}
	g.GemmBF16(NT, m, n, 2, MatBF16{a[:], 2}, MatBF16{b[:], 2}, MatF32{c[:], n}, true, nil)
	for _, got := range c {
		if math.Float32bits(got) != math.Float32bits(v.want) {
			return got
		}
	}
	return c[0]
}
