// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// A world is a short history in whole ticks, with a sender that sends whenever the ledger lets it. Ties are common by design.

// rule is a limit in ticks; window 0 means slots.
type rule struct{ most, window int }

type eventKind int

const (
	giveUp eventKind = iota // call number at is abandoned one tick after it was sent
	crash                   // the process dies at tick at and is back after down ticks
	change                  // other rules are in force from tick at
)

type event struct {
	kind eventKind
	at   int
	// down ticks of a crash are proven to the ledger, or not.
	down   int
	proven bool
	// rules after a change.
	rules []rule
}

type world struct {
	rules  []rule
	delays []int // of each call, from its sending until its answer has been read
	events []event
	// What the CRM does: it counts a call up to late ticks after its answer or, if nobody listens any more, up to linger ticks after that moment; slots are
	// freed release ticks after.
	late, linger, release int
	// What the ledger believes of that, and by how many ticks it takes windows to be longer than they are.
	guards limits.Guards
	skew   int
}

// truth gives the world's ledger the guards that the CRM's behaviour asks for.
func (w world) truth() world {
	w.guards = limits.Guards{CountingDelay: ticks(w.late), MaxServerDelay: ticks(w.linger), SlotRelease: ticks(w.release), History: ticks(12)}
	return w
}

func ticks(n int) time.Duration { return time.Duration(n) * time.Second }

// sending is a call as the CRM can have seen it: it arrives between sent and end.
type sending struct {
	sent, end int
	rules     []rule
}

const endless = 1 << 30

// history is a world while it runs.
type history struct {
	world
	book  *ledger.Ledger
	calls []sending
	// open are the numbers of calls without an outcome, entries the others as a store would have kept them.
	open    map[int]bool
	entries []ledger.Entry
	lost    int // ticks that passed without proof
	upAgain int
}

// run returns the world's calls in the order in which they were sent.
func (w world) run() ([]sending, error) {
	h := &history{world: w, open: map[int]bool{}}
	var err error
	if h.book, err = ledger.New(h.at(0), w.limits(w.rules), w.guards); err != nil {
		return nil, err
	}
	for tick := 0; len(h.calls) < len(w.delays) || len(h.open) > 0; tick++ {
		if tick > 10_000 {
			return nil, fmt.Errorf("%d of %d calls were sent in 10,000 ticks", len(h.calls), len(w.delays))
		}
		if err := h.step(tick); err != nil {
			return nil, err
		}
	}
	h.book.Advance(h.at(20_000))
	for k := range h.book.Limits() {
		if h.book.Used(k) != 0 || h.book.InDoubt(k) != 0 || h.book.InFlight() != 0 {
			return nil, fmt.Errorf("long after the last call limit %d has used %d, in doubt %d, in flight %d", k, h.book.Used(k), h.book.InDoubt(k), h.book.InFlight())
		}
	}
	return h.calls, nil
}

// at is a tick on the ledger's timeline.
func (h *history) at(tick int) time.Time { return time.Unix(int64(tick-h.lost), 0) }

func (h *history) step(tick int) error {
	for _, e := range h.events {
		if e.kind == crash && e.at == tick {
			h.upAgain = tick + e.down
		}
		if e.kind == crash && e.at+e.down == tick {
			if err := h.restart(tick, e); err != nil {
				return err
			}
		}
	}
	if tick < h.upAgain {
		return nil
	}
	for _, e := range h.events {
		if e.kind == change && e.at == tick {
			h.rules = e.rules
			if err := h.book.SetLimits(h.at(tick), h.limits(e.rules)); err != nil {
				return err
			}
		}
	}
	if err := h.answers(tick); err != nil {
		return err
	}
	return h.send(tick)
}

func (h *history) answers(tick int) error {
	for n := range h.calls {
		if !h.open[n] {
			continue
		}
		c := &h.calls[n]
		switch {
		case h.isGivenUp(n) && tick == c.sent+1:
			c.end = tick + h.linger
			h.entries = append(h.entries, ledger.Entry{Owner: "a", End: h.at(c.end), InDoubt: true})
			delete(h.open, n)
			if err := h.book.Abandon(ledger.ID(n), h.at(tick)); err != nil {
				return err
			}
		case !h.isGivenUp(n) && tick == c.sent+h.delays[n]:
			c.end = tick
			h.entries = append(h.entries, ledger.Entry{Owner: "a", End: h.at(tick)})
			delete(h.open, n)
			if err := h.book.Settle(ledger.ID(n), h.at(tick)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *history) send(tick int) error {
	h.book.Advance(h.at(tick))
	for len(h.calls) < len(h.delays) && h.fits() {
		n := len(h.calls)
		if err := h.book.Charge(h.at(tick), ledger.ID(n), h.book.Owner("a"), h.cost(), ledger.NoRecord); err != nil {
			return err
		}
		h.calls = append(h.calls, sending{sent: tick, end: endless, rules: h.rules})
		h.open[n] = true
		if h.delays[n] == 0 {
			if err := h.answers(tick); err != nil {
				return err
			}
			h.book.Advance(h.at(tick)) // its slot may be free again
		}
	}
	return nil
}

// cost is one of each limit.
func (h *history) cost() ledger.Cost { return slices.Repeat(ledger.Cost{1}, len(h.rules)) }

func (h *history) fits() bool {
	for k := range h.book.Limits() {
		if h.book.Used(k)+1 > h.book.Limit(k).Max {
			return false
		}
	}
	return true
}

// restart fills a new ledger from what was stored. Calls without an outcome are in doubt.
func (h *history) restart(tick int, e event) error {
	if !e.proven {
		h.lost += e.down
	}
	entries := slices.Clone(h.entries)
	for n := range h.calls {
		if h.open[n] {
			h.calls[n].end = tick + h.linger
			entries = append(entries, ledger.Entry{Owner: "a"})
			h.entries = append(h.entries, ledger.Entry{Owner: "a", End: h.at(h.calls[n].end), InDoubt: true})
		}
	}
	clear(h.open)
	since := h.book.Horizon()
	var err error
	if h.book, err = ledger.New(h.at(tick), h.limits(h.rules), h.guards); err != nil {
		return err
	}
	return h.book.Restore(h.at(tick), entries, since)
}

func (w world) isGivenUp(n int) bool {
	for _, e := range w.events {
		if e.kind == giveUp && e.at == n {
			return true
		}
	}
	return false
}

func (w world) limits(rules []rule) []limits.Limit {
	ls := make([]limits.Limit, len(rules))
	for k, r := range rules {
		ls[k] = limits.Limit{Name: fmt.Sprint(k), Kind: limits.Rolling, Max: int64(r.most), Window: ticks(r.window + w.skew)}
		if r.window == 0 {
			ls[k].Kind = limits.Concurrent
		}
	}
	return ls
}
