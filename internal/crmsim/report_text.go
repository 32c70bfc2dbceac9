// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the report for people to read.
func (r Report) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // Flush returns the error
	line("since\t%s (%v), calls counted %s", r.Since.Format(time.RFC3339), r.Now.Sub(r.Since).Round(time.Second), r.Stamp)
	line("arrivals\t%d (%s)", r.Arrivals, countsText(r.ByOperation))
	line("outcomes\t%s", countsText(r.ByOutcome))
	line("callers\t%s", countsText(r.ByCredential))
	if len(r.TokenRequests) > 0 {
		line("requests for tokens\t%s", countsText(r.TokenRequests))
	}
	line("refusals\t%d", r.Refusals)
	if r.Background.Calls > 0 {
		line("calls of others\t%d, of which %d were refused", r.Background.Calls, r.Background.Refused)
	}
	line("tickets\t%d created, %d updates, %d external ids doubled", r.Tickets.Created, r.Tickets.Updates, r.Tickets.DuplicateCount)
	line("\nLIMIT\tARRIVALS\tPEAK\tALLOWED\tPEAK AT\tOVERRUNS")
	for _, v := range r.Limits {
		peakAt := "-"
		if !v.Peak.Start.IsZero() {
			peakAt = v.Peak.Start.Format(time.RFC3339)
		}
		line("%s\t%d\t%d\t%d\t%s\t%d", v.Limit, v.Arrivals, v.Peak.Calls, v.Allowed, peakAt, v.OverrunCount)
	}
	problems := r.Problems()
	line("\nproblems: %d", len(problems))
	for _, problem := range problems {
		line("- %s", problem)
	}
	return w.Flush()
}

func countsText[K ~string](counts map[K]int) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", key, counts[key]))
	}
	return strings.Join(parts, ", ")
}
