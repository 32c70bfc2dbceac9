// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func ticks(n int) time.Duration { return time.Duration(n) * time.Second }

// waiting is a call that was not sent yet.
type waiting struct {
	owner int
	lane  fairshare.Lane
	kind  int
	cost  []int64
	since int
}

// line is where calls of one kind wait in a lane of an integration.
type line struct {
	owner int
	lane  fairshare.Lane
	kind  int
}

// tester is what rapid.T and testing.T have in common here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world runs a ledger, its sharing and the evaluator side by side.
type world struct {
	t       tester
	eval    *evaluator
	book    *ledger.Ledger
	sharing *fairshare.Sharing
	tick    int
	lines   map[line][]waiting
	// earliest is what Explain said of the first call in a line.
	earliest map[line]time.Time
	// turns is when an integration's last own-hard and own-soft call was sent.
	turns map[int][2]int
	// disturbed: limits or shares have changed, or calls were sent unasked, so more may be used and reserved than there is.
	disturbed bool
}

const serverDelay = 2 // ticks for which an abandoned call may still be counted

func newWorld(t tester, e *evaluator) *world {
	w := &world{t: t, eval: e, lines: map[line][]waiting{}, earliest: map[line]time.Time{}, turns: map[int][2]int{}}
	var err error
	w.book, err = ledger.New(begin, e.limits, limits.Guards{MaxServerDelay: ticks(serverDelay)})
	w.must(err)
	for range e.limits {
		e.demand = append(e.demand, make([]int64, len(e.shares)))
		e.expected = append(e.expected, make([]int64, len(e.shares)))
		e.sent = append(e.sent, make([]int64, len(e.shares)))
	}
	e.letThrough = func(k int) int64 {
		if e.limits[k].Counting == limits.Exact {
			return math.MaxInt64
		}
		return w.book.Free(k)
	}
	w.sharing = fairshare.New(w.book)
	w.sharing.SetAgeing(ticks(e.ageing))
	w.setShares()
	return w
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

func (w *world) now() time.Time { return begin.Add(ticks(w.tick)) }

func (w *world) key(i int) string         { return string(rune('a' + i)) }
func (w *world) owner(i int) ledger.Owner { return w.book.Owner(w.key(i)) }

func (w *world) setShares() {
	shares := map[string]fairshare.Share{}
	for i, share := range w.eval.shares {
		shares[w.key(i)] = share
	}
	w.sharing.SetShares(shares)
	for k := range w.eval.limits {
		clear(w.eval.demand[k])
		clear(w.eval.expected[k])
		clear(w.eval.sent[k])
	}
	clear(w.earliest)
}

// setLimits changes how much the limits allow.
func (w *world) setLimits() {
	w.must(w.book.SetLimits(w.now(), w.eval.limits))
	w.sharing.Reset()
	w.setShares()
	for at, calls := range w.lines {
		w.offer(at, calls)
	}
}

func (w *world) head(c waiting) fairshare.Head {
	return fairshare.Head{Owner: w.owner(c.owner), Lane: c.lane, Kind: c.kind, Cost: c.cost, Since: begin.Add(ticks(c.since))}
}

// arrive adds a call to its line.
func (w *world) arrive(c waiting) {
	at := line{c.owner, c.lane, c.kind}
	c.since = w.tick
	w.lines[at] = append(w.lines[at], c)
	if len(w.lines[at]) == 1 {
		w.offer(at, w.lines[at])
	}
}

// offer tells the sharing of the first call of a line.
func (w *world) offer(at line, calls []waiting) {
	if len(calls) > 0 {
		w.sharing.Offer(w.head(calls[0]))
	} else {
		delete(w.lines, at)
	}
}

// giveUp gives up waiting for the first call of a line.
func (w *world) giveUp(at line) {
	w.sharing.Withdraw(w.owner(at.owner), at.lane, at.kind)
	w.taken(at)
}

func (w *world) taken(at line) {
	w.lines[at] = w.lines[at][1:]
	delete(w.earliest, at)
	w.offer(at, w.lines[at])
}

func (w *world) setDemand(k, i int, units int64) {
	w.eval.demand[k][i] = units
	w.sharing.SetDemand(k, w.owner(i), units)
	clear(w.earliest)
}

func (w *world) setLive(k, i int, expected, sent int64) {
	w.eval.expected[k][i], w.eval.sent[k][i] = expected, sent
	w.sharing.SetLive(k, w.owner(i), expected, sent)
	clear(w.earliest)
}

// dispatch sends while there is something to send, and holds every step against the definition.
func (w *world) dispatch() {
	for {
		choice, ok := w.sharing.Pick(w.now())
		if !ok {
			break
		}
		at := line{int(choice.Owner), choice.Lane, choice.Kind}
		if len(w.lines[at]) == 0 {
			w.t.Fatalf("%+v was chosen, and nothing waits there", choice)
		}
		w.checkChoice(choice, w.lines[at][0])
		if again, _ := w.sharing.Pick(w.now()); again.Owner != choice.Owner || again.Lane != choice.Lane || again.Kind != choice.Kind {
			w.t.Fatalf("%+v was chosen, asked again %+v", choice, again)
		}
		w.must(w.sharing.Charge(w.now(), ledger.ID(len(w.eval.calls)), choice, ledger.NoRecord))
		w.eval.calls = append(w.eval.calls, charge{owner: at.owner, cost: choice.Cost, end: -1})
		if choice.Class != fairshare.Borrowed {
			turns := w.turns[at.owner]
			turns[choice.Class] = len(w.eval.calls)
			w.turns[at.owner] = turns
		}
		w.taken(at)
	}
	w.must(w.sharing.Check())
	w.checkRest()
}

// sendOutOfTurn sends a call whoever else waits, if it is admissible; else it does not come.
func (w *world) sendOutOfTurn(c waiting) {
	choice, ok := w.sharing.ChoiceOf(w.now(), w.head(c))
	v := w.eval.judge(c, w.tick)
	if ok != v.admissible || ok && choice.Class != v.class {
		w.t.Fatalf("%+v out of its turn is %+v, the choice says %v, class %d", c, v, ok, choice.Class)
	}
	if !ok {
		return
	}
	w.must(w.sharing.Charge(w.now(), ledger.ID(len(w.eval.calls)), choice, ledger.NoRecord))
	w.eval.calls = append(w.eval.calls, charge{owner: c.owner, cost: c.cost, end: -1})
	if choice.Class != fairshare.Borrowed {
		turns := w.turns[c.owner]
		turns[choice.Class] = len(w.eval.calls)
		w.turns[c.owner] = turns
	}
	at := line{c.owner, c.lane, c.kind}
	w.offer(at, w.lines[at]) // the charge has taken away what was offered there
}

func (w *world) checkChoice(choice fairshare.Choice, c waiting) {
	v := w.eval.judge(c, w.tick)
	if !v.admissible {
		w.t.Fatalf("%+v was chosen and is not admissible", choice)
	}
	if choice.Class != v.class {
		w.t.Fatalf("%+v was chosen as of class %d, it is of %d", choice, choice.Class, v.class)
	}
	for _, other := range w.first() {
		o := w.eval.judge(other, w.tick)
		if !o.admissible || o.rank() > v.rank() {
			continue
		}
		if o.rank() < v.rank() {
			w.t.Fatalf("%+v (%+v) was chosen before %+v (%+v)", c, v, other, o)
		}
		if other.owner == c.owner && other.lane == c.lane && cmp.Or(cmp.Compare(other.since, c.since), cmp.Compare(other.kind, c.kind)) < 0 {
			w.t.Fatalf("%+v was chosen before %+v, which was first", c, other)
		}
		if v.class < fairshare.Borrowed {
			mine, others := w.turns[c.owner][v.class], w.turns[other.owner][v.class]
			if cmp.Or(cmp.Compare(others, mine), cmp.Compare(w.owner(other.owner), choice.Owner)) < 0 {
				w.t.Fatalf("%+v was chosen before %+v, whose integration was served longer ago", c, other)
			}
		}
	}
	if at := w.earliest[line{c.owner, c.lane, c.kind}]; w.now().Before(at) {
		w.t.Fatalf("%+v was sent at %s, Explain said %s at the earliest", choice, w.now(), at)
	}
}

// first are the heads.
func (w *world) first() (heads []waiting) {
	for _, calls := range w.lines {
		if len(calls) > 0 {
			heads = append(heads, calls[0])
		}
	}
	return heads
}

// checkRest holds what waits against Q3 and Q4, and the reserves against the limits.
func (w *world) checkRest() {
	for _, c := range w.first() {
		v := w.eval.judge(c, w.tick)
		if v.admissible || !w.disturbed && v.class == fairshare.OwnHard && !v.paced {
			w.t.Fatalf("%+v was left waiting: %+v", c, v)
		}
		w.checkExplanation(c, v)
	}
	for k, l := range w.eval.limits {
		if !w.eval.held(k) {
			continue
		}
		w.checkRoom(k, w.tick%len(w.eval.shares))
		used, reserved := int64(0), int64(0)
		for i := range w.eval.shares {
			hard, soft := w.eval.reserves(k, i, w.tick)
			used, reserved = used+w.eval.charged(k, i, w.tick), reserved+hard
			if h, s := w.sharing.Reserved(k, w.owner(i)); h != hard || s != soft {
				w.t.Fatalf("of limit %d %d and %d are reserved for %d, the sharing says %d and %d", k, hard, soft, i, h, s)
			}
		}
		if used+reserved > l.Max && !w.disturbed {
			w.t.Fatalf("used and reserved of limit %d are %d and %d, it allows %d", k, used, reserved, l.Max)
		}
	}
}

// checkRoom holds what is left to an integration against the largest call of it that is admissible.
func (w *world) checkRoom(k, i int) {
	room := w.sharing.Room(k, w.owner(i))
	admissible := func(n int64) bool {
		cost := make([]int64, len(w.eval.limits))
		cost[k] = n
		return w.eval.judge(waiting{owner: i, lane: fairshare.Waiting, cost: cost}, w.tick).admissible
	}
	if room > 0 && !admissible(room) || admissible(room+1) {
		w.t.Fatalf("of limit %d %d are left to %d, which a call shows to be wrong", k, room, i)
	}
}

func (w *world) checkExplanation(c waiting, v verdict) {
	e, ok := w.sharing.Explain(w.now(), w.head(c))
	if !ok {
		w.t.Fatalf("Explain says %+v need not wait", c)
	}
	if (e.Cause == fairshare.Reserved) != (e.ReservedFor != "") || e.ReservedFor == w.key(c.owner) || v.paced && e.Cause != fairshare.Paced {
		w.t.Fatalf("explanation of %+v: %+v", c, e)
	}
	w.earliest[line{c.owner, c.lane, c.kind}] = e.Earliest
}

// chargeUnasked charges a call that was sent without asking, as those of integrations that are only watched are.
func (w *world) chargeUnasked(owner int, cost []int64) {
	w.must(w.book.Charge(w.now(), ledger.ID(len(w.eval.calls)), w.owner(owner), cost, ledger.NoRecord))
	w.eval.calls = append(w.eval.calls, charge{owner: owner, cost: cost, end: -1})
}

// settle ends the call with this number at once, or leaves it to be counted for some ticks.
func (w *world) settle(n int, abandoned bool) {
	w.eval.calls[n].end = w.tick
	if abandoned {
		w.eval.calls[n].end += serverDelay
		w.must(w.book.Abandon(ledger.ID(n), w.now()))
		return
	}
	w.must(w.book.Settle(ledger.ID(n), w.now()))
}

func (w *world) refund(n int) {
	w.eval.calls[n].refunded = true
	w.must(w.book.Refund(ledger.ID(n)))
	clear(w.earliest)
}

// open are the numbers of the calls in flight.
func (w *world) open() (open []int) {
	for n, c := range w.eval.calls {
		if c.end < 0 && !c.refunded {
			open = append(open, n)
		}
	}
	return open
}

// drain ends the world: without new calls or demand all that can ever fit beside what others never lend is sent.
func (w *world) drain() {
	for k := range w.eval.limits {
		for i := range w.eval.shares {
			w.setDemand(k, i, 0)
			w.setLive(k, i, 0, 0)
		}
	}
	const patience = 200 // a pace can be overdrawn by calls sent unasked
	for idle := 0; slices.ContainsFunc(w.first(), w.fitsAlone); idle++ {
		if idle == patience {
			w.t.Fatalf("%v still wait after %d idle ticks", w.first(), patience)
		}
		w.tick++
		for _, n := range w.open() {
			w.settle(n, false)
		}
		calls := len(w.eval.calls)
		if w.dispatch(); calls < len(w.eval.calls) {
			idle = 0
		}
	}
}

// fitsAlone says whether a call would be admissible if nothing was used.
func (w *world) fitsAlone(c waiting) bool {
	idle := *w.eval
	idle.calls = nil
	idle.letThrough = func(k int) int64 {
		if w.eval.limits[k].Counting == limits.Exact {
			return math.MaxInt64
		}
		return w.eval.limits[k].Burst
	}
	return idle.judge(c, w.tick).admissible
}

// String is for the messages of failed worlds.
func (w waiting) String() string {
	return fmt.Sprintf("call of %c, lane %d, kind %d, cost %v, since tick %d", 'a'+w.owner, w.lane, w.kind, w.cost, w.since)
}
