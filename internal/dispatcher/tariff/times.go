// SPDX-License-Identifier: Apache-2.0

package tariff

import (
	"math"
	"time"
)

const (
	// Execution times are counted in classes whose bounds grow by a factor of the square root of 2, from a millisecond to two minutes.
	classes = 35
	// fading is how much an observation weighs less with each later one: the last thousand decide.
	fading = 0.999
	// unseen is the estimate before anything was observed.
	unseen = time.Second
)

// times is what is known of how long calls of one kind take.
type times struct {
	weight [classes]float64
	total  float64
	// one is the weight of the next observation: it grows instead of all others being faded.
	one float64
	at  int
}

func newTimes() *times { return &times{one: 1, at: classOf(unseen)} }

func classOf(d time.Duration) int {
	ms := max(1, d.Seconds()*1000)
	return min(classes-1, int(math.Ceil(2*math.Log2(ms))))
}

// add counts an observation and reports whether the estimate has moved.
func (t *times) add(took time.Duration) bool {
	t.weight[classOf(took)] += t.one
	t.total += t.one
	t.one /= fading
	if t.one > 1e100 {
		for i := range t.weight {
			t.weight[i] /= t.one
		}
		t.total /= t.one
		t.one = 1
	}
	was := t.at
	above := 0.0
	for t.at = classes - 1; t.at > 0; t.at-- {
		if above += t.weight[t.at]; above > t.total/100 {
			break
		}
	}
	return t.at != was
}

// p99 is the time in milliseconds below which 99 of 100 calls end.
func (t *times) p99() int64 { return int64(math.Ceil(math.Exp2(float64(t.at) / 2))) }
