// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// leastUse is what one integration alone uses of what the rule can give, leastBeside what is used beside people with a guarantee.
	leastUse    = 0.99
	leastBeside = 0.90
	// longestWait is the 99th percentile of the people's waits.
	longestWait = time.Second
	// mostUnfair is 1/w + 1/w of the two integrations with the least weights of three.
	mostUnfair = 1.0/1 + 1.0/2
)

// bound is the use that the rule can give: each call holds its place for the window, the drift over it, the counting delay and the way to the answer.
func (l licence) bound() float64 {
	held := limits.DefaultGuards().Hold(l.limit(limits.Exact, 0)) + usual.roundTrip()
	return float64(l.window) / float64(held)
}

// broken says which of the project's promises a row of ours breaks.
func (r row) broken() []string {
	if r.limiter != oursName || r.notRun != "" {
		return nil
	}
	var broken []string
	promise := func(kept bool, format string, args ...any) {
		if !kept {
			broken = append(broken, fmt.Sprintf("%s, %s: ", r.section, r.licence)+fmt.Sprintf(format, args...))
		}
	}
	promise(r.overruns <= 0, "%d overruns, up to %d calls in a window", r.overruns, r.worst)
	promise(r.refused == 0, "%d of %d calls refused", r.refused, r.answers)
	promise(r.unfair <= mostUnfair, "an integration was %.2f calls behind, by weight, more than %.2f", r.unfair, mostUnfair)
	switch r.kind {
	case single:
		least := leastUse * r.licence.bound()
		promise(r.use >= least, "use %.4f is below %.4f, %.0f %% of what the rule can give", r.use, least, 100*leastUse)
	case guaranteed:
		promise(r.use >= leastBeside, "use %.3f is below %.2f", r.use, leastBeside)
		promise(r.p99 < longestWait, "the 99th percentile of the people's waits is %v, not below %v", r.p99.Round(time.Millisecond), longestWait)
	case shared:
	}
	return broken
}
