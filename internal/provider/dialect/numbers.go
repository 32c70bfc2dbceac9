// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Number reads a header that holds a count, not below 0. CRMs also write "100.0". ok is false if there is none.
func Number(header http.Header, name string) (n int64, ok bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(header.Get(name)), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// UntilReset reads a header that holds a moment in Unix seconds, and returns how long it is until then; 0 if there is none, or it is over, or more than 24 hours
// away, which is a slip or in other units. The answer's Date, if it has one, is the present: the moment is the CRM's.
func UntilReset(header http.Header, name string, now time.Time) time.Duration {
	reset, ok := Number(header, name)
	if !ok {
		return 0
	}
	until := time.Unix(reset, 0).Sub(Present(header, now))
	if until < 0 || until > maxRetryAfter {
		return 0
	}
	return until
}

// SetReset writes a header that holds the moment in Unix seconds at which there is more.
func SetReset(header http.Header, name string, share Share) {
	at := Present(header, share.Now).Add(max(share.Renews, time.Second))
	header.Set(name, strconv.FormatInt(at.Unix()+1, 10)) // rounded up: who waits until then has waited long enough
}

// Present is the moment at which an answer was given by the CRM's clock, or by ours if it does not say.
func Present(header http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return now
}

// SetCount writes a header that holds a count.
func SetCount(header http.Header, name string, n int64) { header.Set(name, strconv.FormatInt(n, 10)) }

// HasRoom says whether the header of that name tells that a limit has room left: then another limit refused the call. Without the header nobody knows.
func HasRoom(header http.Header, name string) bool {
	left, ok := Number(header, name)
	return ok && left > 0
}
