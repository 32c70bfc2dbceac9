// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fate is what became of a mutant.
type fate uint8

const (
	killed fate = iota
	// hung: it was ended when it had taken far more time than the tests do.
	hung
	survived
	// unreached: no test executes it.
	unreached
	// excused: it is accepted as a survivor, and was not run.
	excused
)

// outcome is a mutant with its fate.
type outcome struct {
	mutant
	fate fate
	// by is the tests that killed it.
	by string
}

// choose leaves out what the options do.
func choose(mutants []mutant, o options) (chosen []mutant) {
	for _, m := range mutants {
		if o.only.MatchString(m.key) {
			chosen = append(chosen, m)
		}
	}
	if o.sample > 0 && o.sample < len(chosen) {
		random := rand.New(rand.NewPCG(o.seed, 0))
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:o.sample]
	}
	return chosen
}

// tryAll runs the mutants, some at a time.
func (b binary) tryAll(ctx context.Context, mutants []mutant, tests []attempt, o options, reasons map[string]string) ([]outcome, error) {
	outcomes := make([]outcome, len(mutants))
	var lock sync.Mutex
	err := parallel(o.workers, len(mutants), func(i int) (err error) {
		m := mutants[i]
		out := outcome{mutant: m, fate: excused}
		if reasons[m.key] == "" || o.recheck {
			if out, err = b.try(ctx, m, tests); err != nil {
				return err
			}
		}
		outcomes[i] = out
		lock.Lock()
		defer lock.Unlock()
		switch {
		case out.fate == survived || out.fate == unreached:
			fmt.Fprintf(os.Stderr, "%s:%d: %s\n    %s\n", m.position.Filename, m.position.Line, m.key, words[out.fate])
		case o.verbose:
			fmt.Fprintf(os.Stderr, "%s: %s %s\n", m.key, words[out.fate], out.by)
		}
		return nil
	})
	return outcomes, err
}

var words = [...]string{
	killed: "killed", hung: "killed by its time limit", survived: "survived", unreached: "survived: no test reaches it", excused: "accepted",
}

// Tests that are quick are run together, as long as all take no more than this.
const together = 400 * time.Millisecond

// try runs the tests that reach the mutant, the quickest first, until one fails.
func (b binary) try(ctx context.Context, m mutant, tests []attempt) (outcome, error) {
	var reaching []attempt
	for _, a := range tests {
		if a.reaches[m.id] {
			reaching = append(reaching, a)
		}
	}
	if len(reaching) == 0 {
		return outcome{mutant: m, fate: unreached}, nil
	}
	for len(reaching) > 0 {
		var e execution
		e, reaching = nextGroup(reaching)
		e.env = []string{"MUTANT=" + strconv.Itoa(m.id)}
		end, err := b.run(ctx, e)
		switch {
		case err != nil:
			return outcome{}, err
		case end.verdict == failed:
			return outcome{m, killed, e.tests}, nil
		case end.verdict == timedOut:
			return outcome{m, hung, e.tests}, nil
		}
	}
	return outcome{mutant: m, fate: survived}, nil
}

// nextGroup takes tests with the same number of checks off the front: one, or some quick ones.
func nextGroup(attempts []attempt) (e execution, rest []attempt) {
	first := attempts[0]
	took, names := time.Duration(0), []string{}
	rest = slices.DeleteFunc(slices.Clone(attempts), func(a attempt) bool {
		fits := a.checks == first.checks && (len(names) == 0 || took+a.took <= together)
		if fits {
			took += a.took
			names = append(names, a.test)
		}
		return fits
	})
	return execution{tests: "^(" + strings.Join(names, "|") + ")$", checks: first.checks, limit: 3*took + 2*time.Second}, rest
}
