// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// A mutant that allocates for ever is ended by the limit of its memory.
const memoryKiB = 4 << 20

// execution is one run of the test binary.
type execution struct {
	// tests is a regular expression, checks how often properties draw.
	tests  string
	checks int
	env    []string
	// limit of processor time; 0 is none.
	limit time.Duration
}

// verdict is how it ended.
type verdict uint8

const (
	passed verdict = iota
	failed
	timedOut
)

// ended is a verdict with what it took.
type ended struct {
	verdict verdict
	took    time.Duration
	output  []byte
}

// Properties draw the same in every run, so that a mutant is either killed or not. With -short rapid makes a fifth of the checks.
const (
	rapidSeed  = 1
	fewChecks  = 50
	manyChecks = 1000
)

// run executes tests. It counts processor time, which other work on the machine does not change.
func (b binary) run(ctx context.Context, e execution) (ended, error) {
	patience := 24 * time.Hour
	limits := fmt.Sprintf("ulimit -v %d; ", memoryKiB)
	if e.limit > 0 {
		seconds := int(math.Ceil(e.limit.Seconds()))
		limits += fmt.Sprintf("ulimit -t %d; ", seconds)
		// Some wait for ever without using any.
		patience = time.Minute + 10*e.limit
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := []string{"-c", limits + `exec "$0" "$@"`, b.path, "-test.short", "-test.failfast", "-test.timeout=0", "-test.run=" + e.tests}
	if b.rapid {
		args = append(args, "-rapid.nofailfile", "-rapid.shrinktime=1ms", "-rapid.seed="+strconv.Itoa(rapidSeed), "-rapid.checks="+strconv.Itoa(e.checks))
	}
	cmd := exec.CommandContext(limited, "sh", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), append(e.env, "GOMAXPROCS=1")...)
	output, err := cmd.CombinedOutput()
	end := ended{output: output}
	if state := cmd.ProcessState; state != nil {
		end.took = state.UserTime() + state.SystemTime()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return end, ctx.Err()
	case err == nil:
	case !errors.As(err, &exit):
		return end, err
	case exit.Sys().(syscall.WaitStatus).Signaled():
		end.verdict = timedOut
	default:
		end.verdict = failed
	}
	return end, nil
}
