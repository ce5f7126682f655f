package tensor

import "testing"

func TestArenaReusesReleasedStorage(t *testing.T) {
	a := NewArena(1 << 14)
	x := a.New(F32, 3, 5)
	m := a.Mark()
	y := a.New(BF16, 7, 9)
	z := a.Floats(1 << 16) // more than the slab holds
	y.BF16[62], z[1<<16-1], x.F32[14] = 1, 2, 3
	a.Release(m)
	if again := a.New(BF16, 7, 9); &again.BF16[0] != &y.BF16[0] {
		t.Error("released storage was not handed out again")
	}
	if x.F32[14] != 3 {
		t.Error("storage before the mark was overwritten")
	}
	if want := 4 * (16 + 32 + 1<<16); a.Peak() != want {
		t.Errorf("peak: got %d bytes, want %d", a.Peak(), want)
	}
}

func TestArenaAllocatesNothingOnceWarm(t *testing.T) {
	a := NewArena(0)
	step := func() {
		a.Reset()
		for i := range 20 {
			m := a.Mark()
			a.New(BF16, i+1, 700)
			if i%3 == 0 {
				a.Release(m)
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("allocations per step: %v, want 0", n)
	}
}

func TestSliceSharesStorage(t *testing.T) {
	x := FromF32([]float32{0, 1, 2, 3, 4, 5}, 3, 2)
	s := x.Slice(1, 3)
	s.F32[0] = 9
	if s.Rows != 2 || x.F32[2] != 9 {
		t.Errorf("slice %+v of %+v", s, x)
	}
}
