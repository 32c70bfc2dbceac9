// SPDX-License-Identifier: Apache-2.0

package observe_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/observe"
	"github.com/crmquota/crm-quota-operator/internal/domain/timeline"
)

// guard is for how long a call is charged beyond the minute after its answer.
const guard = 200 * time.Millisecond

// world is a licence of 400 calls a minute of which we take all that others are not taken to use, without end, and others some at random.
type world struct {
	timeline.Timeline
	crm
	random *rand.Rand
	began  time.Time
	watch  *observe.Watch
	// charged are calls of ours in flight or answered less than a minute and the guard ago, in flight those without an answer.
	charged, inFlight int
	// frozen: nothing is sent until then, as a call was refused.
	frozen time.Time
	// By minute: refused are all calls refused, and made all that were made, wanted those of others, sent those of ours that went through.
	refused, made, wanted, sent []int
	// off is how far the estimate of others' use was off at the end of each minute from the tenth on, as a part of what they wanted in the ten minutes before.
	off []float64
}

func (w *world) minute() int { return int(w.Now.Sub(w.began) / time.Minute) }

// arrive is a call's arrival at the CRM: what is left after it, and whether it is let through.
func (w *world) arrive(calls *[]time.Time) (left int64, through bool) {
	w.made[w.minute()]++
	if calls == &w.others {
		w.wanted[w.minute()]++
	}
	left = w.size - w.counted(w.ours, w.Now) - w.counted(w.others, w.Now)
	if left <= 0 {
		w.refused[w.minute()]++
		return 0, false
	}
	*calls = append(*calls, w.Now)
	return left - 1, true
}

// send sends what may go.
func (w *world) send() {
	for w.Now.After(w.frozen) && int64(w.charged)+w.watch.Outside(w.Now) < w.size {
		w.charged++
		w.inFlight++
		began := w.Now
		latency := 100*time.Millisecond + time.Duration(w.random.Float64()*400)*time.Millisecond
		var left int64
		var through bool
		var resets time.Duration
		w.After(time.Duration(w.random.Float64()*float64(latency)), func() {
			left, through = w.arrive(&w.ours)
			resets = w.resets(w.Now)
		})
		w.After(latency, func() {
			w.inFlight--
			units := int64(1)
			if !through {
				units = 0
				w.charged--
				w.frozen = w.Now.Add(resets)
				w.After(resets+1, w.send)
			} else {
				w.sent[w.minute()]++
				w.After(time.Minute+guard, func() { w.charged--; w.send() })
			}
			w.watch.Hear(observe.Word{
				Began: began, Ended: w.Now, Limit: w.size, Remaining: &left, Resets: resets, Units: units,
				Own: observe.Own{Settled: int64(w.charged - w.inFlight), Open: int64(w.inFlight)},
			})
			w.send()
		})
	}
}

// live lets minutes pass in which others want so many calls each.
func live(seed uint64, fixed bool, perMinute, minutes int) *world {
	w := &world{
		crm: crm{fixed: fixed, size: 400, window: time.Minute}, random: rand.New(rand.NewPCG(seed, 7)), Timeline: timeline.Timeline{Now: begin}, watch: newMinute(400), //nolint:gosec // repeatable
		refused: make([]int, minutes+1), made: make([]int, minutes+1), wanted: make([]int, minutes+1), sent: make([]int, minutes+1),
	}
	w.Now = begin.Add(time.Duration(w.random.Float64() * float64(time.Minute)))
	w.began = w.Now
	var call func()
	call = func() {
		w.arrive(&w.others)
		w.After(time.Duration(w.random.ExpFloat64()*float64(time.Minute)/float64(perMinute)), call)
	}
	if perMinute > 0 {
		w.After(0, call)
	}
	var tick func()
	tick = func() {
		w.send()
		next := w.Now.Add(time.Second)
		if at := w.watch.Changes(w.Now); at.After(w.Now) && at.Before(next) {
			next = at
		}
		w.After(next.Sub(w.Now), tick)
	}
	w.After(0, tick)
	for m := 1; m <= minutes; m++ {
		w.After(time.Duration(m)*time.Minute, func() {
			if m >= 10 {
				off := math.NaN()
				if o, ok := w.watch.Others(w.Now); ok {
					off = 10*float64(o.PerWindow)/float64(max(1, sum(w.wanted[m-10:m]))) - 1
				}
				w.off = append(w.off, off)
			}
			old := w.Now.Add(-2 * time.Minute)
			w.ours, w.others = since(w.ours, old), since(w.others, old)
		})
	}
	w.RunUntil(w.began.Add(time.Duration(minutes) * time.Minute))
	return w
}

func since(all []time.Time, at time.Time) []time.Time {
	for len(all) > 0 && all[0].Before(at) {
		all = all[1:]
	}
	return all
}

func sum(of []int) (all int) {
	for _, n := range of {
		all += n
	}
	return all
}

// TestOthersAreLeftRoom: of a licence of which we take all that is left, others who call at random are refused hardly any call once three windows have taught what
// they use, and that is known to a tenth after ten.
func TestOthersAreLeftRoom(t *testing.T) {
	const worlds, minutes = 20, 15
	tests := []struct {
		fixed     bool
		perMinute int
		// refused, in percent of all calls, off as a part of what others use, ours a minute.
		refused, off float64
		ours         int
	}{
		{fixed: true, perMinute: 0, ours: 400},
		{fixed: true, perMinute: 10, refused: .1, off: .5, ours: 370},
		{fixed: true, perMinute: 120, refused: .1, off: .1, ours: 240},
		{fixed: true, perMinute: 250, refused: .1, off: .1, ours: 100},
		{fixed: false, perMinute: 0, ours: 370},
		// Of so few only a twentieth of the limit is told apart.
		{fixed: false, perMinute: 10, refused: .1, off: 2, ours: 270},
		{fixed: false, perMinute: 120, refused: .1, off: .1, ours: 190},
		{fixed: false, perMinute: 250, refused: .1, off: .1, ours: 60},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("fixed %t, %d a minute", test.fixed, test.perMinute), func(t *testing.T) {
			if testing.Short() && test.perMinute != 120 {
				t.Skip("it takes long")
			}
			refused, made, ours, off := 0, 0, 0, 0.0
			for seed := range uint64(worlds) {
				w := live(seed, test.fixed, test.perMinute, minutes)
				refused, made, ours = refused+sum(w.refused[3:]), made+sum(w.made[3:]), ours+sum(w.sent[3:])
				for _, o := range w.off {
					off = max(off, math.Abs(o))
				}
			}
			ours = int(math.Round(float64(ours) / (worlds * (minutes - 3))))
			percent := 100 * float64(refused) / float64(made)
			t.Logf("%d of %d calls refused (%.3f %%), ours %d a minute; off by %.1f %% at most", refused, made, percent, ours, 100*off)
			if percent > test.refused || ours < test.ours || test.perMinute > 0 && off > test.off {
				t.Errorf("want at most %.1f %% refused, %d of ours a minute, off by %.0f %%", test.refused, test.ours, 100*test.off)
			}
		})
	}
}
