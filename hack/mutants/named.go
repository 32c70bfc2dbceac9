// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// named is a mistake that somebody could make in good faith, and the test that has to see it.
type named struct {
	name  string
	edits []swap
	// pkg is where the test is; test is a pattern as of go test -run.
	pkg, test string
}

// swap replaces text that occurs once in a file.
type swap struct{ file, from, to string }

const (
	limitsDir    = domain + "/limits"
	ledgerDir    = domain + "/ledger"
	fairshareDir = domain + "/fairshare"
	schedulerDir = "internal/dispatcher/scheduler"
	upstreamDir  = "internal/dispatcher/upstream"
)

// Not among them are a batch that is charged to its first member only, and a lease that counts once after a takeover: there are no batches of several
// callers, and no leases.
var namedMutants = []named{
	{
		"a call is charged for a window from its sending", []swap{{ledgerDir + "/ledger.go", "end = max(end, l.now)\n", "end = c.sent\n"}},
		ledgerDir, "TestExhaustiveWorlds/one_limit,_every_delay",
	},
	{
		"windows without the drift of clocks", []swap{{limitsDir + "/guards.go", "l.Window + g.Drift(l.Window) + g.Counting(l)", "l.Window + g.Counting(l)"}},
		ledgerDir, "TestDriftingClock",
	},
	{
		"windows without the counting delay", []swap{{limitsDir + "/guards.go", "l.Window + g.Drift(l.Window) + g.Counting(l)", "l.Window + g.Drift(l.Window)"}},
		ledgerDir, "TestNegativeControls/without_the_counting_delay",
	},
	{
		"a call nobody listens to, without the longest server delay",
		[]swap{{ledgerDir + "/ledger.go", "max(l.now, now.UnixNano())+int64(l.guards.MaxServerDelay), true)", "max(l.now, now.UnixNano()), true)"}},
		ledgerDir, "TestNegativeControls/without_the_longest_server_delay,_when_a_call_is_given_up",
	},
	{
		"a call in flight at a crash, without the longest server delay",
		[]swap{{ledgerDir + "/restore.go", "c.end, c.inDoubt = l.now+int64(l.guards.MaxServerDelay), true", "c.end, c.inDoubt = l.now, true"}},
		ledgerDir, "TestNegativeControls/without_the_longest_server_delay,_after_a_crash",
	},
	{
		"the same, where the dispatcher decides it",
		[]swap{{schedulerDir + "/restore.go", "c.End = now.Add(s.guards.MaxServerDelay).Sub(s.epoch)", "c.End = now.Sub(s.epoch)"}},
		schedulerDir, "TestCallsInFlightAtACrash",
	},
	{
		"a refusal is refunded", []swap{{schedulerDir + "/flight.go", "case !o.Sent:\n\t\ts.refund(f)", "case !o.Sent || what == refused:\n\t\ts.refund(f)"}},
		schedulerDir, "TestRefusedCallsAreCharged",
	},
	{
		"a call is refunded when its client goes",
		[]swap{{schedulerDir + "/flight.go", "case !o.Sent:\n\t\ts.refund(f)", "case !o.Sent || f.waiter != nil && f.waiter.gone:\n\t\ts.refund(f)"}},
		schedulerDir, "TestClientThatGoesIsChargedForItsCall",
	},
	{
		"calls in flight are refunded at a restart", []swap{{schedulerDir + "/restore.go", "c.Open, c.InDoubt = false, true\n", "continue\n"}},
		schedulerDir, "TestCallsInFlightAtACrash",
	},
	{
		"what a process has charged is dropped at its restart",
		[]swap{{schedulerDir + "/restore.go", "s.ledger.Restore(now, entries, s.horizon)", "s.ledger.Restore(now, entries[:0], s.horizon)"}},
		schedulerDir, "TestChargesOutliveARestart",
	},
	{
		"a calendar by our own clock",
		[]swap{{ledgerDir + "/ledger.go", "l.crmTime = max(l.crmTime, l.now+int64(l.offset.Min))", "l.crmTime = max(l.crmTime, l.now)"}},
		ledgerDir, "TestCalendarWorlds/an_ordinary_midnight",
	},
	{
		"a calendar by our own time zone",
		[]swap{{ledgerDir + "/account.go", "Containing(time.Unix(0, l.crmTime), a.limit.Location)", "Containing(time.Unix(0, l.crmTime), time.UTC)"}},
		ledgerDir, "TestCalendarWorlds/an_ordinary_midnight",
	},
	{
		"a limit that is renamed starts anew", []swap{
			{ledgerDir + "/setlimits.go", "return idOf(x) == idOf(y) &&", "return x.Name == y.Name && idOf(x) == idOf(y) &&"},
			{ledgerDir + "/setlimits.go", "} else {\n\t\t\tl.fill(k)\n\t\t}", "}"},
		},
		ledgerDir, "TestNoEditForgetsACall/another_name,_answered",
	},
	{
		"an own guarantee is taken back without regard to what others never lend",
		[]swap{{fairshareDir + "/reserve.go", "OwnSoft: a.unused - a.hard,", "OwnSoft: a.unused,"}},
		fairshareDir, "TestOwnSoftLeavesHardReservesAlone",
	},
	{
		"a slot is free when the answer begins", []swap{{upstreamDir + "/rest.go", "\t<-r.done\n\treturn r.ended, r.complete", "\treturn r.now(), true"}},
		upstreamDir, "TestLongAnswerIsReadAtTheClientsPace",
	},
	{
		"weights are ignored", []swap{{fairshareDir + "/place.go", "weight := max(1, share.Weight)", "weight := int64(1)"}},
		fairshareDir, "TestWeightsDivideABand",
	},
}

// A named test takes far less.
const namedLimit = time.Minute

// runNamed applies each named mutant to the tree at root and runs its test, which must fail, and pass without.
func runNamed(ctx context.Context, root, scratch string, workers int) error {
	packages := map[string]bool{}
	for _, n := range namedMutants {
		packages[n.pkg] = true
	}
	dirs := slices.Sorted(maps.Keys(packages))
	return parallel(workers, len(dirs)+len(namedMutants), func(i int) error {
		work := filepath.Join(scratch, fmt.Sprint("named", i))
		if i < len(dirs) {
			return withoutMutants(ctx, root, work, dirs[i])
		}
		n := namedMutants[i-len(dirs)]
		if err := n.try(ctx, root, work); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: fails %s\n", n.name, n.test)
		return nil
	})
}

// withoutMutants runs those tests of a package that are named.
func withoutMutants(ctx context.Context, root, work, pkg string) error {
	b := binary{path: filepath.Join(work, "tests"), dir: filepath.Join(root, pkg)}
	if err := compile(ctx, b.dir, nil, work, b.path); err != nil {
		return err
	}
	for _, n := range namedMutants {
		if n.pkg != pkg {
			continue
		}
		end, err := b.run(ctx, n.execution())
		if err != nil {
			return err
		}
		if end.verdict != passed || strings.Contains(string(end.output), "no tests to run") {
			return fmt.Errorf("%s: %s does not pass without a mutant:\n%s", pkg, n.test, end.output)
		}
	}
	return nil
}

// execution runs the named test.
func (n named) execution() execution {
	parts := strings.Split(n.test, "/")
	return execution{tests: "^" + strings.Join(parts, "$/^") + "$", limit: namedLimit}
}

// files are those that the mutant changes, as it leaves them.
func (n named) files(root string) (map[string][]byte, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range n.edits {
		path := filepath.Join(root, e.file)
		text, edited := files[path]
		if !edited {
			if text, err = os.ReadFile(path); err != nil {
				return nil, err
			}
		}
		if times := strings.Count(string(text), e.from); times != 1 {
			return nil, fmt.Errorf("%s has %d times, not once: %s", e.file, times, e.from)
		}
		files[path] = []byte(strings.Replace(string(text), e.from, e.to, 1))
	}
	return files, nil
}

// try returns an error unless the test fails.
func (n named) try(ctx context.Context, root, work string) error {
	files, err := n.files(root)
	if err != nil {
		return err
	}
	b := binary{path: filepath.Join(work, "tests"), dir: filepath.Join(root, n.pkg)}
	if err := compile(ctx, b.dir, files, work, b.path); err != nil {
		return err
	}
	end, err := b.run(ctx, n.execution())
	if err != nil {
		return err
	}
	if end.verdict == passed {
		return fmt.Errorf("%s: %s passes with it", n.pkg, n.test)
	}
	return nil
}
