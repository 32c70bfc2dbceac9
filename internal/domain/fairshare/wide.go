// SPDX-License-Identifier: Apache-2.0

package fairshare

import "math/bits"

// wide is a signed sum of 128 bits: tags times weights do not fit into 64.
type wide struct{ hi, lo uint64 }

// add adds another sum.
func (w *wide) add(v wide) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, v.lo, 0)
	w.hi, _ = bits.Add64(w.hi, v.hi, carry)
}

// sub takes another sum off.
func (w *wide) sub(v wide) {
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, v.lo, 0)
	w.hi, _ = bits.Sub64(w.hi, v.hi, borrow)
}

// product is a*b, of which either may be negative.
func product(a, b int64) wide {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	// A negative factor has been taken for one that is 2^64 more.
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return wide{hi, lo}
}

// per is the sum divided by n, rounded down; the sum must not be negative, n must be positive, and the result fit into 63 bits.
func (w wide) per(n int64) int64 {
	quotient, _ := bits.Div64(w.hi, w.lo, uint64(n))
	return int64(quotient)
}
