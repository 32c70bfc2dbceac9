// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// String is the licence as people say it: 400/60s; a dash for none.
func (l licence) String() string {
	if l.window == 0 {
		return "-"
	}
	if l.window%time.Hour == 0 {
		return fmt.Sprintf("%d/%.0fh", l.calls, l.window.Hours())
	}
	return fmt.Sprintf("%d/%.0fs", l.calls, l.window.Seconds())
}

// printTable prints rows under the headings of their sections.
func printTable(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) } // Flush returns the error
	section := ""
	for _, r := range rows {
		if r.section != section {
			section = r.section
			line("\n%s", section)
			line("LIMIT\tLIMITER\tFULLEST WINDOW\tOVERRUNS\tREFUSED\tUSE\tWAIT P50\tP99\tMOST\tUNFAIR BY")
		}
		if r.notRun != "" {
			line("%s\t%s\tnot run: %s", r.licence, r.limiter, r.notRun)
			continue
		}
		line("%s\t%s\t%s\t%s\t%s\t%.3f\t%s\t%s\t%s\t%s", r.licence, r.limiter, known(r.worst), known(r.overruns), percent(r.refused, r.answers), r.use,
			wait(r.p50), wait(r.p99), wait(r.most), unfairness(r.unfair))
	}
	return table.Flush()
}

// known is a count, or a dash for one that the judge does not tell.
func known(n int) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func percent(part, whole int) string {
	if part == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g %%", 100*float64(part)/float64(whole))
}

func wait(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func unfairness(calls float64) string {
	if calls < 0 {
		return "-"
	}
	if calls < 10 {
		return fmt.Sprintf("%.1f calls", calls)
	}
	return fmt.Sprintf("%.0f calls", calls)
}
