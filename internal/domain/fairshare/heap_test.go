// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestHeap holds a heap against a list that is sorted each time.
func TestHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const ids = 30
		var h heap
		var x index
		for range ids {
			x.extend()
		}
		want := map[int32]item{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			id := rapid.Int32Range(0, ids-1).Draw(t, "id")
			if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
				h.remove(&x, id)
				delete(want, id)
			} else {
				it := item{rapid.Int64Range(-5, 5).Draw(t, "key"), rapid.Int32Range(0, 1).Draw(t, "tie"), id}
				h.set(&x, it)
				want[id] = it
			}
			if len(h) != len(want) || !h.valid(&x) {
				t.Fatalf("%v is not in order, or not all of %v", h, want)
			}
			if len(want) == 0 {
				continue
			}
			first := slices.MinFunc(slices.Collect(maps.Values(want)), func(a, b item) int {
				return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.tie, b.tie))
			})
			if h[0].key != first.key || h[0].tie != first.tie || want[h[0].id] != h[0] {
				t.Fatalf("the first is %v, want one like %v", h[0], first)
			}
		}
	})
}

// TestWide holds sums of 128 bits against those of math/big.
func TestWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w wide
		sum := new(big.Int)
		for range rapid.IntRange(1, 20).Draw(t, "terms") {
			a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
			term := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
			if rapid.Bool().Draw(t, "sub") {
				w.sub(product(a, b))
				sum.Sub(sum, term)
			} else {
				w.add(product(a, b))
				sum.Add(sum, term)
			}
		}
		modulus := new(big.Int).Lsh(big.NewInt(1), 128)
		got := new(big.Int).SetUint64(w.hi)
		got.Lsh(got, 64).Add(got, new(big.Int).SetUint64(w.lo))
		if want := new(big.Int).Mod(sum, modulus); got.Cmp(want) != 0 {
			t.Fatalf("the sum is %d, want %d", got, want)
		}
	})
}

func TestWidePer(t *testing.T) {
	for _, n := range []int64{1, 3, 1000, 1 << 40} {
		w := product(1<<60+7, n)
		w.add(product(n-1, 1))
		if got := w.per(n); got != 1<<60+7 {
			t.Errorf("the mean of %d numbers is %d, want %d", n, got, int64(1<<60+7))
		}
	}
}
