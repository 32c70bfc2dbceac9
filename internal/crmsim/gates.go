package crmsim

import (
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// gate enforces one limit in force.
type gate struct {
	term      judge.Term
	counter   limit.Counter // nil for a concurrent limit
	inService int           // of a concurrent limit
}

// gates are the limits in force, in the order of the configuration.
type gates []*gate

// replace puts new limits in force at now. A limit that stays the same keeps what it has counted. It returns the terms that have ended.
func (g gates) replace(now time.Time, limits []limit.Limit) (next gates, ended []judge.Term) {
	kept := map[*gate]bool{}
	for _, l := range limits {
		old := g.find(l)
		if old == nil {
			old = &gate{term: judge.Term{Limit: l, From: now}, counter: limit.NewCounter(l)}
		}
		kept[old] = true
		next = append(next, old)
	}
	for _, old := range g {
		if !kept[old] {
			old.term.Until = now
			ended = append(ended, old.term)
		}
	}
	return next, ended
}

func (g gates) find(l limit.Limit) *gate {
	for _, candidate := range g {
		if candidate.term.Limit.String() == l.String() {
			return candidate
		}
	}
	return nil
}

// enter takes a slot of each concurrent limit that applies and returns them, for leave.
func (g gates) enter(operation, credential string) gates {
	var entered gates
	for _, gate := range g {
		if gate.counter == nil && gate.term.Limit.Applies(operation, credential) {
			gate.inService++
			entered = append(entered, gate)
		}
	}
	return entered
}

func (g gates) leave() {
	for _, gate := range g {
		gate.inService--
	}
}

// admit counts a call against every limit that applies to it, or against none if one refuses; then retry says when to come back.
func (g gates) admit(now time.Time, operation, credential string) (ok bool, retry time.Duration) {
	var applying gates
	for _, gate := range g {
		l := gate.term.Limit
		if !l.Applies(operation, credential) {
			continue
		}
		if full, more := gate.full(now); full && !l.JudgeOnly {
			return false, more
		}
		applying = append(applying, gate)
	}
	for _, gate := range applying {
		if gate.counter != nil {
			gate.counter.Take(now)
		}
	}
	return true, 0
}

func (g *gate) full(now time.Time) (full bool, more time.Duration) {
	if g.counter == nil {
		return g.inService > g.term.Limit.Calls, 0 // the call itself is in service already
	}
	remaining, more := g.counter.Remaining(now)
	return remaining == 0, more
}

// headers shows the licence's main limit in Zendesk's headers.
func (g gates) headers(now time.Time, h http.Header) {
	for _, gate := range g {
		l := gate.term.Limit
		if gate.counter == nil || l.Operation != "" || l.Credential != "" {
			continue
		}
		remaining, more := gate.counter.Remaining(now)
		limit, left := strconv.Itoa(l.Calls), strconv.Itoa(remaining)
		h.Set("X-Rate-Limit", limit)
		h.Set("X-Rate-Limit-Remaining", left)
		h.Set("ratelimit-limit", limit)
		h.Set("ratelimit-remaining", left)
		h.Set("ratelimit-reset", seconds(more))
		return
	}
}

// seconds rounds up, so that whoever waits that long has waited enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
