// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"
	"time"
)

// Reading is what an answer says of one of the CRM's limits. What it does not say is left at its zero value.
type Reading struct {
	// Window is the length of the limit's window; Day stands in its place for a limit per calendar day.
	Window time.Duration
	Day    bool
	// Operation is the name of the one whose limit it is; empty for a limit on all calls.
	Operation string
	// Limit is how many units the window allows; 0 if the answer does not say.
	Limit int64
	// Remaining is how many of them are left; nil if the answer does not say.
	Remaining *int64
	// Resets is the time until the window ends; 0 if the answer does not say.
	Resets time.Duration
	// Apps are what single applications have used of it, the largest first; empty if the answer does not say.
	Apps []AppUse
}

// MaxReading bounds figures in answers: more is a slip, and sums of it could overflow.
const MaxReading = 1_000_000_000

// Units reads a header that holds a number of units, at most a billion. ok is false if there is none, or none that can be understood.
func Units(header http.Header, name string) (n int64, ok bool) {
	if n, ok = Number(header, name); n > MaxReading {
		return 0, false
	}
	return n, ok
}

// LimitAndRemaining reads a limit's size and what is left of it from two headers. ok is false if the answer has neither.
func LimitAndRemaining(header http.Header, limit, remaining string) (r Reading, ok bool) {
	r.Limit, ok = Units(header, limit)
	if left, said := Units(header, remaining); said {
		r.Remaining, ok = new(left), true
	}
	return r, ok
}

// Seconds reads a header that holds a time in seconds from the answer on, at most a day; 0 if there is none.
func Seconds(header http.Header, name string) time.Duration {
	n, ok := Number(header, name)
	if !ok || n > int64(maxRetryAfter/time.Second) {
		return 0
	}
	return time.Duration(n) * time.Second
}
