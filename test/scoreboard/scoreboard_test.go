// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/test/debian"
)

// TestOnlyOursKeepsTheLimit is a short run of what the scoreboard prints.
func TestOnlyOursKeepsTheLimit(t *testing.T) {
	const windows, seed = 100, 7
	l := licence{20, 10 * time.Second}
	for _, c := range contenders(limits.Exact, 0) {
		r := virtualDrain("drain", c, l, three(l), windows, seed)
		if c.name == oursName {
			if broken := r.broken(); len(broken) > 0 || r.worst != l.calls || r.answers == 0 {
				t.Errorf("ours: %d calls in the fullest window; %v", r.worst, broken)
			}
			continue
		}
		if r.worst <= l.calls || r.overruns == 0 || r.unfair <= mostUnfair {
			t.Errorf("%s: the judge finds nothing: %+v", c.name, r)
		}
	}
	alone := virtualDrain("alone", contenders(limits.Exact, 0)[0], l, []integration{{name: "a", weight: 1, callers: l.calls + 1}}, windows, seed)
	if broken := alone.broken(); alone.kind != single || len(broken) > 0 {
		t.Errorf("one integration alone: %v", broken)
	}
}

func TestPromisesAreFoundBroken(t *testing.T) {
	kept := row{limiter: oursName, licence: licence{100, 10 * time.Second}, answers: 10, use: 0.95, unfair: -1}
	tests := map[string]struct {
		change func(r *row)
		want   string
	}{
		"an overrun":                    {func(r *row) { r.overruns = 1 }, "1 overruns"},
		"a refusal":                     {func(r *row) { r.refused = 1 }, "1 of 10 calls refused"},
		"an integration that is behind": {func(r *row) { r.unfair = 1.6 }, "1.60 calls behind"},
		"little use, alone":             {func(r *row) { r.kind, r.use = single, 0.89 }, "use 0.8900 is below 0.8996"},
		"little use, beside people":     {func(r *row) { r.kind, r.use = guaranteed, 0.89 }, "use 0.890 is below 0.90"},
		"people who wait":               {func(r *row) { r.kind, r.p99 = guaranteed, time.Second }, "is 1s, not below 1s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := kept
			if broken := r.broken(); len(broken) > 0 {
				t.Fatalf("nothing is wrong yet, but %v", broken)
			}
			test.change(&r)
			if broken := r.broken(); len(broken) != 1 || !strings.Contains(broken[0], test.want) {
				t.Errorf("got %q, want %q", broken, test.want)
			}
			r.limiter = "fixed window"
			if broken := r.broken(); len(broken) > 0 {
				t.Errorf("a peer has promised nothing, but %v", broken)
			}
		})
	}
}

func TestTableSaysWhatWasNotRun(t *testing.T) {
	var out strings.Builder
	rows := []row{
		{
			section: "virtual", limiter: "ours", licence: licence{400, time.Minute}, worst: 400, answers: 1000, use: 0.983,
			p50: 30 * time.Millisecond, p99: 870 * time.Millisecond, most: 2 * time.Hour, unfair: 1,
		},
		{section: "virtual", limiter: "theirs", licence: licence{400, time.Minute}, worst: -1, overruns: -1, refused: 32, answers: 1000, unfair: -1},
		{section: "foreign", limiter: "all", notRun: "not installed"},
	}
	if err := printTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	for _, want := range []string{
		"400/60s ours 400 0 0 0.983 0.03 s 0.87 s 2.0 h 1.0 calls", "400/60s theirs - - 3.2 % 0.000 0.00 s 0.00 s 0.00 s -", "- all not run: not installed",
	} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want+"\n") {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}

func TestMissingPackageIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt-get
	n := debian.Need{Program: "/nowhere/judge", Package: "some-package"}
	if _, err := n.Find(t.Context()); err == nil || !strings.Contains(err.Error(), "apt-get install --no-install-recommends some-package") {
		t.Errorf("got %v", err)
	}
}
