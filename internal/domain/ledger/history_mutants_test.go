// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"

	"pgregory.net/rapid"
)

// TestStepsKeepEverySum: whatever is put into a history, with steps or without, each owner's sum up to any instant is what it was, at the end of the step.
// There is one record for each owner and step, and one more for what is in doubt.
func TestStepsKeepEverySum(t *testing.T) {
	type key struct {
		end     int64
		owner   Owner
		inDoubt bool
	}
	rapid.Check(t, func(t *rapid.T) {
		h := history{step: rapid.SampledFrom([]int64{0, 1, 2, 7, 10}).Draw(t, "step")}
		want, puts, at := map[key]int64{}, 0, int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "puts") {
			at += rapid.Int64Range(0, 6).Draw(t, "later")
			k := key{at, Owner(rapid.IntRange(0, 4).Draw(t, "owner")), rapid.Bool().Draw(t, "in doubt")}
			n := rapid.Int64Range(1, 5).Draw(t, "amount")
			h.append(newRecord(k.end, k.owner, n, k.inDoubt))
			puts++
			for h.step > 0 && k.end%h.step != 0 {
				k.end++
			}
			want[k] += n
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				puts -= h.forgetAll(func(r record) { delete(want, key{r.end, r.owner, r.inDoubt()}) })
			}
		}
		got, last := map[key]int64{}, int64(0)
		for pos := h.start(); pos < h.end(); pos++ {
			r := h.at(pos)
			if r.end < last {
				t.Fatalf("a record that ends at %d comes after one at %d", r.end, last)
			}
			last = r.end
			got[key{r.end, r.owner, r.inDoubt()}] += r.units()
		}
		if most := len(want); h.step > 0 && len(h.records) > most || h.step == 0 && len(h.records) != puts {
			t.Fatalf("%d records for %d puts into %d steps", len(h.records), puts, most)
		}
		for k, n := range want {
			if got[k] != n {
				t.Fatalf("%+v has %d, want %d", k, got[k], n)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("there is something at %d places, want %d", len(got), len(want))
		}
	})
}

// forgetAll drops the records of all instants, or steps, but the last, and returns how many they were.
func (h *history) forgetAll(each func(record)) (n int) {
	for n < len(h.records)-1 && h.records[n].end < h.records[len(h.records)-1].end {
		each(h.records[n])
		n++
	}
	h.forget(n)
	return n
}

// TestAStepOverflowsIntoAnotherRecord: two records for what is too much for one.
func TestAStepOverflowsIntoAnotherRecord(t *testing.T) {
	for more, records := range map[int64]int{1: 1, 2: 2} {
		h := history{step: 10}
		h.append(newRecord(1, 0, MaxAmount-1, false))
		h.append(newRecord(2, 0, more, false))
		sum := int64(0)
		for pos := range h.end() {
			sum += h.at(pos).units()
		}
		if len(h.records) != records || sum != MaxAmount-1+more {
			t.Errorf("%d more than %d make %d in %d records, want %d", more, MaxAmount-1, sum, len(h.records), records)
		}
	}
}

// TestMemoryIsUsedAgain: while as much is forgotten as is added nothing is allocated, whatever the length, and the records stay what they were.
func TestMemoryIsUsedAgain(t *testing.T) {
	for _, length := range []int{0, 1, 7, 100} {
		h, next := history{}, int64(0)
		put := func(n int) {
			for range n {
				h.append(newRecord(next, 0, 1+next%1000, false))
				next++
			}
		}
		put(length)
		turn := func() {
			put(1)
			h.forget(1)
		}
		for range 20 * (length + 1) {
			turn()
		}
		if allocated := testing.AllocsPerRun(10*(length+1), turn); allocated > 0 {
			t.Errorf("with %d records each new one allocates %.0f times", length, allocated)
		}
		if room := cap(h.whole); room > 4*length+8 {
			t.Errorf("%d records have room for %d", length, room)
		}
		for pos := h.start(); pos < h.end(); pos++ {
			if r := h.at(pos); r.end != int64(pos) || r.units() != 1+int64(pos)%1000 {
				t.Fatalf("the record at %d is %+v", pos, r)
			}
		}
		if len(h.records) != length || h.end() != int(next) {
			t.Errorf("there are %d records up to %d, want %d up to %d", len(h.records), h.end(), length, next)
		}
	}
}
