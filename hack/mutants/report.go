// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what became of a package's mutants.
type result struct {
	name     string
	outcomes []outcome
}

func (r result) count(fates ...fate) (n int) {
	for _, o := range r.outcomes {
		if slices.Contains(fates, o.fate) {
			n++
		}
	}
	return n
}

func (r result) rate() float64 {
	return float64(r.count(killed, hung)) / float64(max(1, len(r.outcomes)))
}

// readReasons reads the accepted survivors: a line with a key, and below it, indented, why no test is to kill it.
func readReasons(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reasons, key := map[string]string{}, ""
	for n, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(line, "#"):
		case line != strings.TrimLeft(line, " \t"):
			if key == "" {
				return nil, fmt.Errorf("%s:%d: a reason for nothing", path, n+1)
			}
			reasons[key] = strings.TrimSpace(reasons[key] + " " + trimmed)
		default:
			if _, twice := reasons[trimmed]; twice {
				return nil, fmt.Errorf("%s:%d: is in it twice: %s", path, n+1, trimmed)
			}
			key = trimmed
			reasons[key] = ""
		}
	}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		if reasons[key] == "" {
			return nil, fmt.Errorf("%s: no reason for %s", path, key)
		}
	}
	return reasons, nil
}

// complaints are what a package fails for.
func (r result) complaints(o options, reasons map[string]string) (all []error) {
	if rate := r.rate(); rate < leastRate && o.only.String() == "" {
		all = append(all, fmt.Errorf("%s: %.1f %% killed, at least %.0f %% have to be", r.name, 100*rate, 100*leastRate))
	}
	known := map[string]bool{}
	for _, out := range r.outcomes {
		known[out.key] = true
		switch _, listed := reasons[out.key]; {
		case !listed && (out.fate == survived || out.fate == unreached):
			all = append(all, fmt.Errorf("survived: %s", out.key))
		case listed && (out.fate == killed || out.fate == hung):
			all = append(all, fmt.Errorf("is killed by now, take it off %s: %s", accepted, out.key))
		}
	}
	if o.sample == 0 && o.only.String() == "" {
		for _, key := range slices.Sorted(maps.Keys(reasons)) {
			if strings.HasPrefix(key, r.name+" ") && !known[key] {
				all = append(all, fmt.Errorf("there is no such mutant, take it off %s: %s", accepted, key))
			}
		}
	}
	return all
}

func printTable(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows := []string{"package\tmutants\tkilled by a test\tby the time limit\tsurvived\tnot reached\taccepted\tkilled in all\t"}
	for _, r := range results {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t", r.name, len(r.outcomes),
			r.count(killed), r.count(hung), r.count(survived), r.count(unreached), r.count(excused), 100*r.rate()))
	}
	if _, err := fmt.Fprintln(t, strings.Join(rows, "\n")); err != nil {
		return err
	}
	return t.Flush()
}
