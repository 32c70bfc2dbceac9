// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// unforeseenRetry stands in a refusal whose end cannot be foreseen. Without Retry-After, common clients try again at once and for ever.
const unforeseenRetry = 30 * time.Second

// RetrySeconds is the value of a Retry-After header: whole seconds, rounded up, at least 1.
func RetrySeconds(d time.Duration) string {
	if d <= 0 {
		d = unforeseenRetry
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// maxRetryAfter bounds what a CRM can ask for: a slip in a header must not stop a company for longer than any window it may mean.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the header of that name: seconds, or a date that is compared with now. It is at most 24 hours. ok is false if there is none, or none that can
// be understood.
func RetryAfter(header http.Header, now time.Time) (wait time.Duration, ok bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" { // most answers; what is no number and no date takes a while to find out
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter), true
	}
	return 0, false
}
