// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"
	"strconv"
	"strings"
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
}

// maxReading bounds figures in headers: more is a slip, and sums of it could overflow.
const maxReading = 1_000_000_000

// Number reads a header that holds a number of units, as 100 or 100.0; ok is false if there is none from 0 to 10^9.
func Number(header http.Header, name string) (n int64, ok bool) {
	return NumberIn(header.Get(name))
}

// NumberIn reads a text as Number does a header.
func NumberIn(text string) (n int64, ok bool) {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(text), ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, false
	}
	parsed, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || parsed > maxReading {
		return 0, false
	}
	return int64(parsed), true //nolint:gosec // of 63 bits
}

// LimitAndRemaining reads a limit's size and what is left of it from two headers. ok is false if the answer has neither.
func LimitAndRemaining(header http.Header, limit, remaining string) (r Reading, ok bool) {
	r.Limit, ok = Number(header, limit)
	if left, said := Number(header, remaining); said {
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

// UntilUnix reads a header that holds an instant in Unix seconds, and returns how long after the answer that is, at most a day: by the answer's own Date if it
// has one, else by now. 0 if there is no such instant to come.
func UntilUnix(header http.Header, name string, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get(name))
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	if until := at - now.Unix(); until > 0 && until <= int64(maxRetryAfter/time.Second) {
		return time.Duration(until) * time.Second
	}
	return 0
}
