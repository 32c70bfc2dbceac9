// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// attempt is a test with a number of checks, and what it takes.
type attempt struct {
	test   string
	checks int
	took   time.Duration
	// slow: it takes more than slowest, and is not used.
	slow bool
	// reaches says which mutants' code it executes.
	reaches []bool
}

// slowest is what a test may take of processor time: the mutants that no test kills have to sit through it. What a longer one would see is left to make test.
const slowest = 20 * time.Second

// measure runs each test by itself without any mutant, and returns them, the quickest first. Tests that are much quicker with few checks are in twice.
func (b binary) measure(ctx context.Context, mutants, workers int) ([]attempt, error) {
	list := exec.CommandContext(ctx, b.path, "-test.list", ".")
	list.Dir = b.dir
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list tests: %w", err)
	}
	var attempts []attempt
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") || strings.HasPrefix(name, "Example") {
			if b.rapid {
				attempts = append(attempts, attempt{test: name, checks: fewChecks})
			}
			attempts = append(attempts, attempt{test: name, checks: manyChecks})
		}
	}
	if err := parallel(workers, len(attempts), func(i int) error { return b.measureOne(ctx, &attempts[i], mutants) }); err != nil {
		return nil, err
	}
	attempts = withoutRepeats(attempts)
	slices.SortStableFunc(attempts, func(x, y attempt) int { return cmp.Compare(x.took, y.took) })
	return attempts, nil
}

func (b binary) measureOne(ctx context.Context, a *attempt, mutants int) (err error) {
	reach := filepath.Join(b.scratch, a.test+"-"+strconv.Itoa(a.checks))
	end, err := b.run(ctx, execution{tests: "^" + a.test + "$", checks: a.checks, env: []string{"MUTANT_REACH=" + reach}, limit: slowest})
	if err != nil {
		return err
	}
	if end.verdict == timedOut {
		a.slow = true
		fmt.Fprintf(os.Stderr, "%s with %d checks is left out: it takes more than %s\n", a.test, a.checks, slowest)
		return nil
	}
	if end.verdict != passed {
		return fmt.Errorf("%s fails without any mutant:\n%s", a.test, end.output)
	}
	a.took = end.took
	a.reaches = make([]bool, mutants+1)
	file, err := os.Open(reach)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		a.reaches[id] = true
	}
	return lines.Err()
}

// withoutRepeats leaves out what is slow, and few checks where they are not much quicker than many.
func withoutRepeats(attempts []attempt) (all []attempt) {
	for i, a := range attempts {
		if a.slow {
			continue
		}
		if a.checks == fewChecks && !attempts[i+1].slow && 2*a.took > attempts[i+1].took {
			continue
		}
		all = append(all, a)
	}
	return all
}

// parallel calls do for 0 to n-1, some at a time, and returns when all are done, with all errors.
func parallel(workers, n int, do func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return errors.Join(errs...)
}
