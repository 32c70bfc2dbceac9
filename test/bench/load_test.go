// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// warm is how many calls are made before those that are measured: by then connections are open, and stacks and heaps have grown. A second's, where calls are paced.
const warm = 1000

// together has n calls made, as fast as so many clients can.
func together(clients, n int, do func()) {
	var begun atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for begun.Add(1) <= int64(n) {
				do()
			}
		})
	}
	all.Wait()
}

// paced has b.N calls made, 1,000 a second however long each takes, and returns what each took.
func paced(b *testing.B, do func()) []time.Duration {
	b.Helper()
	thousandASecond(warm, do)
	b.ResetTimer()
	defer b.StopTimer()
	return thousandASecond(b.N, do)
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
