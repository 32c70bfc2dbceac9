package crmsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// gate enforces one limit in force.
type gate struct {
	limit     limit.Limit
	counter   limit.Counter // nil for a concurrent limit
	inService int           // of a concurrent limit
	since     int           // the number of arrivals kept before it came into force
}

// gates are the limits in force, in the order of the configuration.
type gates []*gate

// term is a limit that was replaced, with the part of the record during which it was in force: arrivals [from, until).
type term struct {
	limit       limit.Limit
	from, until int
}

// replace puts new limits in force once arrivals have been kept. A limit that stays the same keeps what it has counted.
func (g gates) replace(arrivals int, limits []limit.Limit) (next gates, ended []term) {
	for _, l := range limits {
		same := slices.IndexFunc(g, func(old *gate) bool { return old.limit.String() == l.String() })
		if same >= 0 {
			next = append(next, g[same])
			continue
		}
		next = append(next, &gate{limit: l, counter: limit.NewCounter(l), since: arrivals})
	}
	for _, old := range g {
		if !slices.Contains(next, old) {
			ended = append(ended, term{limit: old.limit, from: old.since, until: arrivals})
		}
	}
	return next, ended
}

// enter takes a slot of each concurrent limit that applies and returns them, for leave; or takes none and returns false if one is full.
func (g gates) enter(operation, credential string) (entered gates, ok bool) {
	for _, gate := range g {
		l := gate.limit
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
		l := gate.limit
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
		l := gate.limit
		if gate.counter == nil || l.Operation != "" || l.Credential != "" {
			continue
		}
		remaining, more := gate.counter.Remaining(now)
		calls, left := strconv.Itoa(l.Calls), strconv.Itoa(remaining)
		h.Set("X-Rate-Limit", calls)
		h.Set("X-Rate-Limit-Remaining", left)
		h.Set("ratelimit-limit", calls)
		h.Set("ratelimit-remaining", left)
		h.Set("ratelimit-reset", seconds(more))
		return
	}
}

// seconds rounds up, so that whoever waits that long has waited enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
