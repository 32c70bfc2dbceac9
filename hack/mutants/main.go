// SPDX-License-Identifier: Apache-2.0

// Command mutants measures what the tests of internal/domain would notice: it changes the code in small ways, one at a time, and runs the tests. A change that
// no test objects to is a survivor. See docs/decisions for how and why.
//
//	go run ./hack/mutants [-pkg ledger,limits] [-sample 200 -seed 1] [-only REGEXP] [-recheck] [-v]
//	go run ./hack/mutants -named
//
// It fails if less than 90 % of a package's mutants are killed, if one survives that survivors.txt does not give a reason for, or if survivors.txt names one
// that is killed or does not exist. With -named it applies the changes of named.go instead, each of which must fail the test that it names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"regexp"
	"runtime"
	"strings"
)

const (
	domain    = "internal/domain"
	accepted  = "hack/mutants/survivors.txt"
	leastRate = 0.9
)

type options struct {
	packages        []string
	sample, workers int
	seed            uint64
	only            *regexp.Regexp
	recheck         bool
	verbose         bool
}

func main() {
	var o options
	packages := flag.String("pkg", "limits,ledger,fairshare,forecast,observe,hidden", "packages of "+domain+", separated by commas")
	only := flag.String("only", "", "run only the mutants whose key matches")
	named := flag.Bool("named", false, "run the named mutants instead")
	flag.IntVar(&o.sample, "sample", 0, "run only so many mutants of each package, drawn at random")
	flag.Uint64Var(&o.seed, "seed", 1, "of the sample")
	flag.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "test binaries that run at a time")
	flag.BoolVar(&o.recheck, "recheck", false, "run the accepted survivors too")
	flag.BoolVar(&o.verbose, "v", false, "print what kills each mutant")
	flag.Parse()
	o.packages = strings.Split(*packages, ",")
	o.only = regexp.MustCompile(*only)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, *named)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, named bool) (err error) {
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if named {
		return runNamed(ctx, ".", scratch, o.workers)
	}
	reasons, err := readReasons(accepted)
	if err != nil {
		return err
	}
	var failures []error
	var results []result
	for _, name := range o.packages {
		r, err := mutatePackage(ctx, o, path.Join(domain, name), scratch, reasons)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		results = append(results, r)
		failures = append(failures, r.complaints(o, reasons)...)
	}
	return errors.Join(append(failures, printTable(os.Stdout, results))...)
}

// mutatePackage builds the package with its mutants and runs them.
func mutatePackage(ctx context.Context, o options, dir, scratch string, reasons map[string]string) (result, error) {
	src, err := load(ctx, dir)
	if err != nil {
		return result{}, err
	}
	mutants, files := src.mutate()
	binary, err := build(ctx, src, files, len(mutants), path.Join(scratch, path.Base(dir)))
	if err != nil {
		return result{}, err
	}
	tests, err := binary.measure(ctx, len(mutants), o.workers)
	if err != nil {
		return result{}, err
	}
	if o.verbose {
		for _, a := range tests {
			fmt.Fprintf(os.Stderr, "%s with %d checks takes %s\n", a.test, a.checks, a.took)
		}
	}
	chosen := choose(mutants, o)
	fmt.Fprintf(os.Stderr, "%s: %d mutants, %d to run, %d tests\n", path.Base(dir), len(mutants), len(chosen), len(tests))
	outcomes, err := binary.tryAll(ctx, chosen, tests, o, reasons)
	return result{path.Base(dir), outcomes}, err
}
