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

// enter takes a slot of each concurrent limit that applies and returns them, for leave; or takes none and returns false if one is full.
func (g gates) enter(operation, credential string) (entered gates, ok bool) {
	for _, gate := range g {
		l := gate.term.Limit
		if gate.counter != nil || !l.Applies(operation, credential) {
			continue
		}
		if gate.inService >= l.Calls && !l.JudgeOnly {
			return nil, false
		}
		entered = append(entered, gate)
	}
	for _, gate := range entered {
		gate.inService++
	}
	return entered, true
}

func (g gates) leave() {
	for _, gate := range g {
		gate.inService--
	}
}

// admit counts a call against every window that applies to it, or against none if one refuses; then retry says when to come back.
func (g gates) admit(now time.Time, operation, credential string) (ok bool, retry time.Duration) {
	var applying gates
	for _, gate := range g {
		l := gate.term.Limit
		if gate.counter == nil || !l.Applies(operation, credential) {
			continue
		}
		if remaining, more := gate.counter.Remaining(now); remaining == 0 && !l.JudgeOnly {
			return false, more
		}
		applying = append(applying, gate)
	}
	for _, gate := range applying {
		gate.counter.Take(now)
	}
	return true, 0
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
