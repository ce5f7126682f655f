package kernel

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
)

// plainC is the whole float32 law as an outsider writes it down.
const plainC = `#include <math.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
	int d[3];
	fread(d, sizeof(int), 3, stdin);
	int m = d[0], n = d[1], k = d[2];
	float *a = malloc(4L*m*k), *b = malloc(4L*k*n), *c = malloc(4L*m*n);
	fread(a, 4, (size_t)m*k, stdin);
	fread(b, 4, (size_t)k*n, stdin);
	fread(c, 4, (size_t)m*n, stdin);
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++) {
			float sum = c[i*n+j];
			for (int q = 0; q < k; q++)
				sum = fmaf(a[i*k+q], b[q*n+j], sum);
			c[i*n+j] = sum;
		}
	return fwrite(c, 4, (size_t)m*n, stdout) != (size_t)m*n;
}
`

func TestGemmEqualsAPlainLoopInC(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc: ", err)
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "loop.c"), filepath.Join(dir, "loop")
	if err := os.WriteFile(source, []byte(plainC), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-O1", "-w", "-ffp-contract=off", "-o", program, source, "-lm").CombinedOutput(); err != nil {
		t.Skipf("gcc cannot build a program here: %v\n%s", err, out)
	}
	r := rand.New(rand.NewPCG(15, 16))
	const m, n, k = 61, 83, 407
	a, b, c := randomF32(r, m*k, 140), randomF32(r, k*n, 140), randomF32(r, m*n, 140)
	var in, out bytes.Buffer
	for _, part := range []any{[]int32{m, n, k}, a, b, c} {
		if err := binary.Write(&in, binary.NativeEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program)
	command.Stdin, command.Stdout = &in, &out
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	want := make([]float32, m*n)
	if err := binary.Read(&out, binary.NativeEndian, want); err != nil {
		t.Fatal(err)
	}
	g := gemmers(t)[1]
	eachTier(func(tier cpu.Tier) {
		got := append([]float32(nil), c...)
		g.Gemm(NN, m, n, k, MatF32{a, k}, MatF32{b, n}, MatF32{got, n}, true, nil)
		if err := compare(got, want); err != nil {
			t.Errorf("%v: %v", tier, err)
		}
	})
}
