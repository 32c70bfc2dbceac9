// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var perTicket = limits.Limit{Name: "per ticket", Kind: limits.Rolling, Max: 3, Window: ticks(10), Meter: limits.Meter{Subject: "updates", PerRecord: true}}

// recordWorld is a ledger beside the definition: every use is kept for ever and asked.
type recordWorld struct {
	t    *rapid.T
	l    *ledger.Ledger
	tick int
	uses []recordUse
}

type recordUse struct {
	record ledger.Record
	end    int // endless in flight
}

func (w *recordWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *recordWorld) now() time.Time { return time.Unix(int64(w.tick), 0) }

// left is what a record has left by the definition.
func (w *recordWorld) left(r ledger.Record) int64 {
	n := perTicket.Max
	for _, u := range w.uses {
		if (u.record == r || u.record == ledger.NoRecord) && w.tick < u.end+10 {
			n--
		}
	}
	return n
}

func (w *recordWorld) charge() {
	r := rapid.SampledFrom([]ledger.Record{1, 1, 2, 3, ledger.NoRecord}).Draw(w.t, "record")
	w.must(w.l.Charge(w.now(), ledger.ID(len(w.uses)), w.l.Owner("a"), ledger.Cost{1}, r))
	w.uses = append(w.uses, recordUse{r, endless})
}

func (w *recordWorld) end() {
	id := rapid.IntRange(0, 60).Draw(w.t, "which")
	if id >= len(w.uses) || w.uses[id].end < endless {
		return
	}
	switch u := &w.uses[id]; rapid.IntRange(0, 2).Draw(w.t, "how") {
	case 0:
		u.end = w.tick
		w.must(w.l.Settle(ledger.ID(id), w.now()))
	case 1:
		u.end = w.tick + 2
		w.must(w.l.Abandon(ledger.ID(id), w.now()))
	default:
		u.end = w.tick - 1000
		w.must(w.l.Refund(ledger.ID(id)))
	}
}

func (w *recordWorld) rename() {
	renamed := perTicket
	renamed.Name = "other"
	w.must(w.l.SetLimits(w.now(), []limits.Limit{renamed}))
}

func (w *recordWorld) compare() {
	for _, r := range []ledger.Record{1, 2, 3} {
		if got, want := w.l.RecordFree(0, r), w.left(r); got != want {
			w.t.Fatalf("at %d record %d has %d left, want %d", w.tick, r, got, want)
		}
		if at := w.l.EarliestRecord(0, r, 1); w.l.RecordFree(0, r) >= 1 && at.After(w.now()) {
			w.t.Fatalf("record %d has room, and is said to have it at %s", r, at)
		}
	}
	if got, want := w.l.RecordFree(0, ledger.NoRecord), min(w.left(1), w.left(2), w.left(3)); got != want {
		w.t.Fatalf("at %d a call of which the record is not known has %d left, want %d", w.tick, got, want)
	}
}

// TestRecordsAgainstModel compares what is left to each record with the definition, through plan changes, and calls whose record is not known.
func TestRecordsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, err := ledger.New(time.Unix(0, 0), []limits.Limit{perTicket}, limits.Guards{MaxServerDelay: ticks(2), History: ticks(100)})
		if err != nil {
			t.Fatal(err)
		}
		w := &recordWorld{t: t, l: l}
		pass := func() {
			w.tick += rapid.IntRange(1, 6).Draw(t, "ticks")
			l.Advance(w.now())
		}
		steps := map[string]func(){"charge": w.charge, "end": w.end, "pass": pass, "rename": w.rename}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			steps[rapid.SampledFrom([]string{"charge", "charge", "end", "end", "pass", "rename"}).Draw(t, "step")]()
			w.compare()
		}
	})
}

// TestEarliestRecord is when the records' own calls are released, not those of others.
func TestEarliestRecord(t *testing.T) {
	l := newLedger(t, perTicket)
	charge := func(id ledger.ID, at int, r ledger.Record) {
		t.Helper()
		now := begin.Add(ticks(at))
		if err := l.Charge(now, id, l.Owner("a"), ledger.Cost{1}, r); err != nil {
			t.Fatal(err)
		}
		if err := l.Settle(id, now); err != nil {
			t.Fatal(err)
		}
	}
	charge(1, 0, 2)
	for i := range 3 {
		charge(ledger.ID(2+i), 1+i, 1)
	}
	for need, want := range map[int64]int{1: 11, 2: 12, 3: 13} {
		if got := l.EarliestRecord(0, 1, need); !got.Equal(begin.Add(ticks(want))) {
			t.Errorf("%d units are free %s after the begin, want %s", need, got.Sub(begin), ticks(want))
		}
	}
	if at, ok := l.NextRelease(); !ok || !at.Equal(begin.Add(ticks(10))) {
		t.Errorf("the next release is at %s", at.Sub(begin))
	}
}

// TestALimitPerRecordThatIsNew counts the calls before it for every record, as it is not known which they were about.
func TestALimitPerRecordThatIsNew(t *testing.T) {
	l := newLedger(t, limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 400, Window: time.Minute})
	answered(t, l, begin, 1, "a", 1)
	if err := l.SetLimits(begin.Add(ticks(4)), []limits.Limit{perTicket}); err != nil {
		t.Fatal(err)
	}
	if got := l.RecordFree(0, 7); got != 2 {
		t.Errorf("a record has %d left, want 2", got)
	}
	l.Advance(begin.Add(ticks(10)))
	if got := l.RecordFree(0, 7); got != 3 {
		t.Errorf("after the window a record has %d left, want 3", got)
	}
}
