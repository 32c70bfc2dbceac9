// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preferences are what a client says in Prefer headers (RFC 7240). Those that are not known, or cannot be understood, are ignored, as the RFC asks.
type preferences struct {
	// async: an answer before the work is done will do.
	async bool
	// wait is how long the client wants to wait for the work to be done; nil if it does not say.
	wait *time.Duration
}

func preferencesOf(header http.Header) preferences {
	var p preferences
	for _, value := range header.Values("Prefer") {
		for preference := range strings.SplitSeq(value, ",") {
			preference, _, _ = strings.Cut(preference, ";")
			name, text, _ := strings.Cut(preference, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "respond-async":
				p.async = true
			case "wait":
				seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(text), `"`), 10, 16)
				if err == nil && p.wait == nil { // of several the first counts
					p.wait = new(time.Duration(seconds) * time.Second)
				}
			}
		}
	}
	return p
}

// waiting is what becomes of a call that somebody waits for, at most for longest.
func (p preferences) waiting(longest time.Duration) route {
	to := route{wait: longest}
	p.shorten(&to)
	return to
}

// queued is what becomes of a call that is stored first.
func (p preferences) queued(longest time.Duration) route {
	to := route{queue: true, async: p.async && p.wait == nil, wait: longest, patient: p.wait != nil}
	if p.async {
		to.applied = append(to.applied, "respond-async")
	}
	p.shorten(&to)
	return to
}

// shorten lets a client wait for less than its integration does. It cannot wait for more: who holds a connection for how long is not for clients to say.
func (p preferences) shorten(to *route) {
	if p.wait != nil && *p.wait <= to.wait {
		to.wait = *p.wait
		to.applied = append(to.applied, fmt.Sprintf("wait=%d", *p.wait/time.Second))
	}
}
