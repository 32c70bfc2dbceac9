// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Usage is how a CRM is asked what has been used of its limits.
type Usage struct {
	// Ask is the call. It only reads, and counts as any other.
	Ask Request
	// Every is how often it is made if the manifest does not say.
	Every time.Duration
	// Read reads from the body of a good answer what the header does not tell. nil: only the header tells, and so do those of all other answers.
	Read func(body []byte, now time.Time) []Reading
	// Logs tell of single applications what the answer does not; nil if there are none.
	Logs *AppLogs
}

// AskWhoSignsIn is a call that tells that, at a target, for the sake of its header: where there is no resource for usage.
func AskWhoSignsIn(target string) Usage {
	return Usage{Ask: Request{Method: http.MethodGet, Target: target}, Every: time.Minute}
}

// AppUse is what one application has used of a limit.
type AppUse struct {
	// Name of the application as the CRM knows it, of 1 to MaxAppName bytes that can be printed.
	Name string
	// Used units of the limit.
	Used int64
}

// Bounds of what is taken of applications.
const (
	MaxApps    = 16
	MaxAppName = 64
)

// LargestApps are those that have used most, the largest first and at most MaxApps. It sorts what it is given.
func LargestApps(all []AppUse) []AppUse {
	slices.SortFunc(all, func(a, b AppUse) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), strings.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), MaxApps)]
}

// AppName is a name without what cannot be printed, and not too long.
func AppName(name string) string {
	clean := make([]rune, 0, MaxAppName)
	length := 0
	for _, r := range name {
		if length += utf8.RuneLen(r); length > MaxAppName {
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		clean = append(clean, r)
	}
	return string(clean)
}

// UnitsIn bounds a number of units that a body tells; false if it is none.
func UnitsIn(n float64) (int64, bool) {
	if n < 0 || n > MaxReading {
		return 0, false
	}
	return int64(n), true
}

// Together are the readings of one answer: what its header tells, which is of this moment, and what only its body does.
func Together(header, body []Reading) []Reading {
	for _, b := range body {
		at := -1
		for i, h := range header {
			if h.Window == b.Window && h.Day == b.Day && h.Operation == b.Operation {
				at = i
			}
		}
		if at < 0 {
			header = append(header, b)
			continue
		}
		h := &header[at]
		if h.Resets == 0 {
			h.Resets = b.Resets
		}
		h.Apps = b.Apps
	}
	return header
}
