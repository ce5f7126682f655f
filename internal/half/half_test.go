package half

import "testing"

// TestEveryValue: every float16 and bfloat16 comes back.
func TestEveryValue(t *testing.T) {
	for h := range 1 << 16 {
		if x := Float16(uint16(h)); x == x && ToFloat16(x) != uint16(h) {
			t.Fatalf("float16 %04x is %v, and that %04x", h, x, ToFloat16(x))
		}
		if x := BFloat16(uint16(h)); x == x && ToBFloat16(x) != uint16(h) {
			t.Fatalf("bfloat16 %04x is %v, and that %04x", h, x, ToBFloat16(x))
		}
		if x := Float16(uint16(h)); x != x && ToFloat16(x)&0x7e00 != 0x7e00 {
			t.Fatalf("float16 %04x is %v, and that %04x", h, x, ToFloat16(x))
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		x             float32
		float, bfloat uint16
	}{
		{1 + 1.0/2048, 0x3c00, 0x3f80}, {1 + 3.0/2048, 0x3c02, 0x3f80}, {1 + 1.0/256, 0x3c04, 0x3f80}, {1 + 3.0/256, 0x3c0c, 0x3f82}, {65519, 0x7bff, 0x4780},
		{65520, 0x7c00, 0x4780}, {-65520, 0xfc00, 0xc780}, {1.0 / (1 << 25), 0, 0x3300}, {3.0 / (1 << 25), 2, 0x33c0}, {-65504, 0xfbff, 0xc780},
	} {
		if got := ToFloat16(c.x); got != c.float {
			t.Errorf("%v is float16 %04x, want %04x", c.x, got, c.float)
		}
		if got := ToBFloat16(c.x); got != c.bfloat {
			t.Errorf("%v is bfloat16 %04x, want %04x", c.x, got, c.bfloat)
		}
	}
}
