// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func ticks(n int) time.Duration { return time.Duration(n) * time.Second }

// evaluator judges admissions by the definition, from its own list of charges. It shares no code with the package.
type evaluator struct {
	limits []limits.Limit
	shares []fairshare.Share
	demand [][]int64 // by limit, then integration
	calls  []charge
}

type charge struct {
	owner int
	cost  int64
	end   int // tick, -1 in flight
}

// charged is what limit k counts for the integration at a tick.
func (e *evaluator) charged(k, owner, tick int) (sum int64) {
	for _, c := range e.calls {
		l := e.limits[k]
		if c.owner != owner || c.end >= 0 && tick >= c.end+int(l.Window/time.Second) {
			continue
		}
		if l.Kind == limits.Concurrent {
			sum++
		} else {
			sum += c.cost
		}
	}
	return sum
}

func (e *evaluator) guaranteed(k, owner int) int64 {
	return e.limits[k].Max * e.shares[owner].GuaranteedPercent / 100
}

func (e *evaluator) hard(k, owner int) int64 {
	return e.guaranteed(k, owner) * (100 - e.shares[owner].LendPercent) / 100
}

// reserves are R and S.
func (e *evaluator) reserves(k, owner, tick int) (hard, soft int64) {
	u := e.charged(k, owner, tick)
	hard = max(0, e.hard(k, owner)-u)
	return hard, max(hard, min(e.guaranteed(k, owner), e.demand[k][owner])-u)
}

// judge says whether the call is admissible, and whether it is own-hard in every limit.
func (e *evaluator) judge(owner int, cost int64, tick int) (admissible, ownHard bool) {
	admissible, ownHard = true, true
	for k, l := range e.limits {
		if l.AlertOnly {
			continue
		}
		c := cost
		if l.Kind == limits.Concurrent {
			c = 1
		}
		var total, hard, soft int64
		for j := range e.shares {
			total += e.charged(k, j, tick)
			if r, s := e.reserves(k, j, tick); j != owner {
				hard, soft = hard+r, soft+s
			}
		}
		u := e.charged(k, owner, tick)
		if u+c <= e.hard(k, owner) {
			admissible = admissible && total+c <= l.Max
			continue
		}
		ownHard = false
		if u+c <= e.guaranteed(k, owner) {
			admissible = admissible && total+c+hard <= l.Max
		} else {
			ceiling := max(1, l.Max*e.shares[owner].MaxPercent/100)
			admissible = admissible && total+c+soft <= l.Max && u+c <= ceiling
		}
	}
	return admissible, ownHard
}

// world runs a ledger, its sharing and the evaluator side by side.
type world struct {
	t        *rapid.T
	eval     *evaluator
	book     *ledger.Ledger
	sharing  *fairshare.Sharing
	tick     int
	waiting  [][2][]int64 // costs of waiting calls, by integration and lane
	earliest map[[2]int]time.Time
	sent     int
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() time.Time { return begin.Add(ticks(w.tick)) }

func newWorld(t *rapid.T) *world {
	w := &world{t: t, eval: &evaluator{}, earliest: map[[2]int]time.Time{}}
	for k := range rapid.IntRange(1, 3).Draw(t, "limits") {
		l := limits.Limit{Name: fmt.Sprint(k), Kind: limits.Rolling, Max: rapid.Int64Range(1, 12).Draw(t, "max")}
		l.Window = ticks(rapid.IntRange(1, 6).Draw(t, "window"))
		l.AlertOnly = rapid.IntRange(0, 5).Draw(t, "alert") == 0
		if rapid.IntRange(0, 3).Draw(t, "slots") == 0 {
			l.Kind, l.Window = limits.Concurrent, 0
		}
		w.eval.limits = append(w.eval.limits, l)
	}
	left := int64(100)
	for range rapid.IntRange(2, 4).Draw(t, "integrations") {
		g := rapid.Int64Range(0, left).Draw(t, "guaranteed")
		left -= g
		w.eval.shares = append(w.eval.shares, fairshare.Share{
			GuaranteedPercent: g,
			Weight:            rapid.Int64Range(1, 5).Draw(t, "weight"),
			MaxPercent:        rapid.Int64Range(max(g, 1), 100).Draw(t, "most"),
			LendPercent:       rapid.SampledFrom([]int64{0, 30, 50, 100}).Draw(t, "lend"),
		})
	}
	w.waiting = make([][2][]int64, len(w.eval.shares))
	var err error
	w.book, err = ledger.New(begin, w.eval.limits, limits.Guards{})
	w.must(err)
	shares := map[string]fairshare.Share{}
	for i, share := range w.eval.shares {
		shares[w.key(i)] = share
	}
	w.sharing = fairshare.New(w.book)
	w.sharing.SetShares(shares)
	for range w.eval.limits {
		w.eval.demand = append(w.eval.demand, make([]int64, len(w.eval.shares)))
	}
	return w
}

func (w *world) key(i int) string         { return string(rune('a' + i)) }
func (w *world) owner(i int) ledger.Owner { return w.book.Owner(w.key(i)) }

func (w *world) heads() (heads []fairshare.Head) {
	for i, lanes := range w.waiting {
		for lane, calls := range lanes {
			if len(calls) > 0 {
				heads = append(heads, fairshare.Head{Owner: w.owner(i), Lane: fairshare.Lane(lane), Cost: calls[0]})
			}
		}
	}
	return heads
}

// dispatch sends while there is something to send, and holds every step against the definition.
func (w *world) dispatch() {
	w.book.Advance(w.now())
	for {
		heads := w.heads()
		choice, ok := w.sharing.Pick(heads)
		if !ok {
			break
		}
		w.checkChoice(heads, choice)
		w.must(w.sharing.Charge(w.now(), ledger.ID(w.sent), choice))
		w.sent++
		i := int(choice.Owner)
		w.eval.calls = append(w.eval.calls, charge{owner: i, cost: choice.Cost, end: -1})
		w.waiting[i][choice.Lane] = w.waiting[i][choice.Lane][1:]
		delete(w.earliest, [2]int{i, int(choice.Lane)})
	}
	w.checkRest()
}

func (w *world) checkChoice(heads []fairshare.Head, choice fairshare.Choice) {
	admissible, ownHard := w.eval.judge(int(choice.Owner), choice.Cost, w.tick)
	if !admissible {
		w.t.Fatalf("%+v was chosen and is not admissible", choice)
	}
	if (choice.Class == fairshare.OwnHard) != ownHard {
		w.t.Fatalf("%+v: own-hard in every limit is %t", choice, ownHard)
	}
	for _, h := range heads {
		if _, hard := w.eval.judge(int(h.Owner), h.Cost, w.tick); hard && !ownHard {
			w.t.Fatalf("%+v was chosen before %+v, which is own-hard", choice, h)
		}
	}
	shuffled := rapid.Permutation(heads).Draw(w.t, "order")
	if again, ok := w.sharing.Pick(shuffled); !ok || again.Head != choice.Head {
		w.t.Fatalf("%+v was chosen, in another order of heads %+v", choice, again)
	}
	if at := w.earliest[[2]int{int(choice.Owner), int(choice.Lane)}]; w.now().Before(at) {
		w.t.Fatalf("%+v was sent at %s, Explain said %s at the earliest", choice, w.now(), at)
	}
}

// checkRest holds what waits against Q3 and Q4, and the reserves against the limits.
func (w *world) checkRest() {
	for _, h := range w.heads() {
		admissible, ownHard := w.eval.judge(int(h.Owner), h.Cost, w.tick)
		if admissible || ownHard {
			w.t.Fatalf("%+v was left waiting: admissible %t, own-hard %t", h, admissible, ownHard)
		}
		e, ok := w.sharing.Explain(h.Owner, h.Cost)
		if !ok {
			w.t.Fatalf("Explain says %+v need not wait", h)
		}
		if (e.Cause == fairshare.Reserved) != (e.ReservedFor != "") || e.ReservedFor == w.key(int(h.Owner)) {
			w.t.Fatalf("explanation of %+v: %+v", h, e)
		}
		w.earliest[[2]int{int(h.Owner), int(h.Lane)}] = e.Earliest
	}
	for k, l := range w.eval.limits {
		sum := int64(0)
		for i := range w.eval.shares {
			hard, _ := w.eval.reserves(k, i, w.tick)
			sum += w.eval.charged(k, i, w.tick) + hard
		}
		if sum > l.Max && !l.AlertOnly {
			w.t.Fatalf("used and reserved of limit %d are %d, it allows %d", k, sum, l.Max)
		}
	}
}

// TestRandomWorlds draws limits, shares, demand, costs and delays.
func TestRandomWorlds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.tick += rapid.IntRange(0, 2).Draw(t, "pass")
			w.changeDemand()
			w.settle(false)
			w.arrive()
			w.dispatch()
		}
		w.drain()
	})
}

// changeDemand makes forecasts old: what was said of a call's earliest sending no longer holds.
func (w *world) changeDemand() {
	if rapid.IntRange(0, 9).Draw(w.t, "new demand") > 0 {
		return
	}
	k := rapid.IntRange(0, len(w.eval.limits)-1).Draw(w.t, "limit")
	i := rapid.IntRange(0, len(w.eval.shares)-1).Draw(w.t, "of")
	w.setDemand(k, i, rapid.Int64Range(0, 12).Draw(w.t, "demand"))
}

func (w *world) setDemand(k, i int, calls int64) {
	w.eval.demand[k][i] = calls
	w.sharing.SetDemand(k, w.owner(i), calls)
	clear(w.earliest)
}

func (w *world) settle(all bool) {
	for n := range w.eval.calls {
		if c := &w.eval.calls[n]; c.end < 0 && (all || rapid.Bool().Draw(w.t, "answered")) {
			c.end = w.tick
			w.must(w.book.Settle(ledger.ID(n), w.now()))
		}
	}
}

func (w *world) arrive() {
	for range rapid.IntRange(0, 4).Draw(w.t, "arrivals") {
		i := rapid.IntRange(0, len(w.waiting)-1).Draw(w.t, "by")
		lane := rapid.IntRange(0, 1).Draw(w.t, "lane")
		w.waiting[i][lane] = append(w.waiting[i][lane], rapid.SampledFrom([]int64{1, 1, 1, 2}).Draw(w.t, "cost"))
	}
}

// drain ends the world: without new calls or demand all that can ever fit beside what others never lend is sent.
func (w *world) drain() {
	for k := range w.eval.limits {
		for i := range w.eval.shares {
			w.setDemand(k, i, 0)
		}
	}
	for range 500 {
		w.tick++
		w.settle(true)
		w.dispatch()
	}
	for _, h := range w.heads() {
		if w.fitsAlone(int(h.Owner), h.Cost) {
			w.t.Fatalf("%+v still waits after 500 idle ticks", h)
		}
	}
}

func (w *world) fitsAlone(owner int, cost int64) bool {
	idle := *w.eval
	idle.calls = slices.Clone(idle.calls)[:0]
	admissible, _ := idle.judge(owner, cost, w.tick)
	return admissible
}
