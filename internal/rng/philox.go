package rng

// Multipliers and key increments of Philox4x32.
const (
	PhiloxM0 = 0xD2511F53
	PhiloxM1 = 0xCD9E8D57
	PhiloxW0 = 0x9E3779B9
	PhiloxW1 = 0xBB67AE85

	PhiloxRounds = 10
)

// Philox is Philox4x32-10, a keyed permutation of the 128-bit counters:
//
//	for range 10 {
//		p, q := M0*c[0], M1*c[2]
//		c = [hi(q)^c[1]^k[0], lo(q), hi(p)^c[3]^k[1], lo(p)]
//		k[0] += W0; k[1] += W1
//	}
func Philox(c [4]uint32, k [2]uint32) [4]uint32 {
	c[0], c[1], c[2], c[3] = rounds(c[0], c[1], c[2], c[3], k[0], k[1])
	return c
}

// rounds is Philox in registers: the chains of several calls then overlap.
func rounds(c0, c1, c2, c3, k0, k1 uint32) (r0, r1, r2, r3 uint32) {
	for range PhiloxRounds {
		p, q := uint64(PhiloxM0)*uint64(c0), uint64(PhiloxM1)*uint64(c2)
		c0, c1, c2, c3 = uint32(q>>32)^c1^k0, uint32(q), uint32(p>>32)^c3^k1, uint32(p)
		k0 += PhiloxW0
		k1 += PhiloxW1
	}
	return c0, c1, c2, c3
}
