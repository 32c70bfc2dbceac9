// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// warm is how many calls are made before those that are measured: by then connections are open, and stacks and heaps have grown. A second's, where calls are paced.
	warm = 1000
	// rounds is how often each contender has its turn. The machine is faster at one time than at another, by more than what is to be seen.
	rounds = 10
	// perRound is how many calls it makes then, as fast as clients can; perSecond how many where they are paced.
	perRound, perSecond = 3000, 1000
)

// caller makes calls to a contender.
type caller struct {
	name string
	// pid is the process whose computing is counted; 0: that of none.
	pid  int
	call func()
}

// turn is what a contender does in each round.
type turn struct {
	caller
	// do has n calls made and says how long they took.
	do func(n int) time.Duration
}

// with has so many clients make the calls, as fast as they can.
func (c caller) with(clients int) turn {
	return turn{c, func(n int) time.Duration { return together(clients, n, c.call) }}
}

// cost is what a call took by throughput and what it had the contender compute.
type cost struct{ nanos, cpuMillis float64 }

// inTurn has contenders make calls one after the other, in rounds.
func inTurn(b *testing.B, turns []turn) map[string]cost {
	b.Helper()
	costs := map[string]cost{}
	for _, t := range turns {
		t.do(warm)
	}
	for range rounds {
		for _, t := range turns {
			c := costs[t.name]
			var before time.Duration
			if t.pid != 0 {
				before = cpuTime(b, t.pid)
			}
			c.nanos += float64(t.do(perRound)) / (rounds * perRound)
			if t.pid != 0 {
				c.cpuMillis += float64((cpuTime(b, t.pid) - before).Microseconds()) / 1000 / (rounds * perRound)
			}
			costs[t.name] = c
		}
	}
	return costs
}

// together has n calls made, as fast as so many clients can.
func together(clients, n int, do func()) time.Duration {
	var begun atomic.Int64
	var all sync.WaitGroup
	first := time.Now()
	for range clients {
		all.Go(func() {
			for begun.Add(1) <= int64(n) {
				do()
			}
		})
	}
	all.Wait()
	return time.Since(first)
}

// paced has contenders make calls one after the other, in rounds, 1,000 a second however long each takes, and returns what each took.
func paced(callers []caller) map[string][]time.Duration {
	times := map[string][]time.Duration{}
	for _, c := range callers {
		thousandASecond(warm, c.call)
	}
	for range rounds {
		for _, c := range callers {
			times[c.name] = append(times[c.name], thousandASecond(perSecond, c.call)...)
		}
	}
	return times
}

func thousandASecond(n int, do func()) []time.Duration {
	times := make([]time.Duration, n)
	var all sync.WaitGroup
	first := time.Now()
	for i := range times {
		time.Sleep(time.Until(first.Add(time.Duration(i) * time.Millisecond)))
		all.Go(func() {
			began := time.Now()
			do()
			times[i] = time.Since(began)
		})
	}
	all.Wait()
	return times
}

func reportLatency(b *testing.B, times []time.Duration) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // is not reported then: nothing is measured here
	reportMillis(b, "latency", times)
}
