// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

const (
	// keepTrying is how long after the result its callback is tried.
	keepTrying = 24 * time.Hour
	// The pauses between attempts at one callback grow from firstRetry to lastRetry, fourfold each.
	firstRetry = 5 * time.Second
	lastRetry  = 2 * time.Hour
	// The pauses between attempts at a receiver that takes none grow from firstProbe to lastProbe, twofold each.
	firstProbe = time.Second
	lastProbe  = time.Minute
)

// retryPause is how long to wait after so many failed attempts at one callback.
func retryPause(attempts int) time.Duration { return grown(firstRetry, lastRetry, 4, attempts) }

// probePause is how long to leave a receiver alone that has failed so many times in a row.
func probePause(failures int) time.Duration { return grown(firstProbe, lastProbe, 2, failures) }

// grown is the nth of pauses that grow by a factor from first to last.
func grown(first, last time.Duration, factor, n int) time.Duration {
	pause := first
	for range n - 1 {
		if pause *= time.Duration(factor); pause >= last {
			return last
		}
	}
	return pause
}

// expired says whether a callback that is not taken now is not tried again.
func expired(c backlog.Callback, now time.Time) bool { return !now.Before(c.At.Add(keepTrying)) }

// gate keeps a receiver that fails from being asked about each of the callbacks that wait for it.
type gate struct {
	// failures in a row, since when, and what became of the last attempt.
	failures int
	since    time.Time
	detail   string
	// until then it is left alone.
	until time.Time
}

func (g *gate) fail(now time.Time, detail string, pause time.Duration) {
	if g.failures == 0 {
		g.since = now
	}
	g.failures++
	g.detail, g.until = detail, now.Add(pause)
}

// room is how many requests may be under way: one to find out, as long as it fails.
func (g *gate) room() int {
	if g.failures > 0 {
		return 1
	}
	return perEndpoint
}
