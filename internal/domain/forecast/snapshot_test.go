// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
)

// TestWhatWasLearntOutlivesARestart: forecasts after a restart are those before it, to what coarse figures and a forgotten half hour make of them.
func TestWhatWasLearntOutlivesARestart(t *testing.T) {
	before := newIntegration(3, day, minute)
	end := before.weeksOfOfficeHours(5)
	history, amounts := before.history.Snapshot(nil), before.demands[0].Snapshot([]byte("before"))
	if n := len(history) + len(amounts); n > 5<<10 {
		t.Errorf("a snapshot takes %d bytes", n)
	}
	after := newIntegration(3, day, minute)
	if err := after.history.Restore(history); err != nil {
		t.Fatal(err)
	}
	if err := after.demands[0].Restore(amounts[len("before"):]); err != nil {
		t.Fatal(err)
	}
	for hour := range 48 {
		now := end.Add(time.Duration(hour) * time.Hour)
		if h := hour % 24; h >= 8 && h < 18 {
			before.ask(now, 20, true)
			after.ask(now, 20, true)
		}
		p := forecast.Present{Left: 24*time.Hour - time.Duration(hour%24)*time.Hour}
		was50, was95 := before.demands[0].Until(now, p)
		is50, is95 := after.demands[0].Until(now, p)
		if math.Abs(float64(is50-was50)) > 10+0.1*float64(was50) || math.Abs(float64(is95-was95)) > 10+0.1*float64(was95) {
			t.Errorf("hour %d: %d to %d, before the restart %d to %d", hour, is50, is95, was50, was95)
		}
	}
	if again := after.history.Snapshot(nil); len(again) != len(history) {
		t.Errorf("a restored history's snapshot has %d bytes, want %d", len(again), len(history))
	}
}

func TestAdviceOutlivesARestart(t *testing.T) {
	notShort(t)
	a := forecast.NewAdvisor(minute, targets)
	bursts(a, 13, 10*time.Minute, 150, false)
	was, _ := forecast.Advise([]*forecast.Advisor{a}, nil, true)
	stored := a.Snapshot(nil)
	if len(stored) > 4<<10 {
		t.Errorf("a snapshot takes %d bytes", len(stored))
	}
	for _, most := range []int64{100, 120, 200} {
		l := minute
		l.Max = most
		b := forecast.NewAdvisor(l, targets)
		if err := b.Restore(stored); err != nil {
			t.Fatal(err)
		}
		is, ok := forecast.Advise([]*forecast.Advisor{b}, nil, true)
		if !ok || is.Adequate != (most == 200) || most == 100 && (is.Wait != was.Wait || math.Abs(float64(is.Needed-was.Needed)) > 2) {
			t.Errorf("with %d it is %+v, before %+v", most, is, was)
		}
	}
}

func TestSnapshotsThatAreNone(t *testing.T) {
	in := newIntegration(1, day, minute)
	in.weeksOfOfficeHours(1)
	a := forecast.NewAdvisor(minute, targets)
	history, days, minutes, advice := in.history.Snapshot(nil), in.demands[0].Snapshot(nil), in.demands[1].Snapshot(nil), a.Snapshot(nil)
	for name, tc := range map[string]struct {
		restore func([]byte) error
		from    []byte
	}{
		"nothing":                          {in.history.Restore, nil},
		"a part":                           {in.history.Restore, history[:len(history)/2]},
		"something after it":               {in.history.Restore, append(slices.Clone(history), 0)},
		"a demand's for a history":         {in.history.Restore, days},
		"a history's for a demand":         {in.demands[0].Restore, history},
		"a rolling limit's for a day":      {in.demands[0].Restore, minutes},
		"a day's for a rolling limit":      {in.demands[1].Restore, days},
		"a history's for an advisor":       {a.Restore, history},
		"an advisor's for a history":       {in.history.Restore, advice},
		"another byte in the middle of it": {in.history.Restore, flipped(history)},
	} {
		if err := tc.restore(tc.from); err == nil {
			t.Errorf("%s is restored", name)
		}
	}
	if after := in.history.Snapshot(nil); !slices.Equal(after, history) {
		t.Error("a refused snapshot changed the history")
	}
}

func flipped(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)/2] ^= 0x10
	return b
}

// FuzzRestore: whatever bytes are restored, it is an error or figures that forecasts can be made from. Half of the inputs get a right check sum.
func FuzzRestore(f *testing.F) {
	in := newIntegration(1, day)
	in.weeksOfOfficeHours(1)
	a := forecast.NewAdvisor(minute, targets)
	bursts(a, 2, 10*time.Minute, 150, false)
	for _, seed := range [][]byte{in.history.Snapshot(nil), in.demands[0].Snapshot(nil), a.Snapshot(nil), nil} {
		f.Add(seed, false)
		if len(seed) > 4 {
			f.Add(seed[:len(seed)-4], true)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			b = sealed(b)
		}
		in, a := newIntegration(1, day, rollingDay), forecast.NewAdvisor(minute, targets)
		_ = in.history.Restore(b) // an error leaves a history that has learnt nothing
		_ = in.demands[0].Restore(b)
		_ = a.Restore(b)
		now := monday
		for i := range 5 {
			now = now.Add(40 * time.Minute)
			in.ask(now, 3, true)
			a.Ask(monday.Add(time.Duration(i)*time.Second), 3, false)
			for _, d := range in.demands {
				if p50, p95 := d.Until(now, forecast.Present{Left: 7 * time.Hour}); p50 < 0 || p95 < p50 {
					t.Fatalf("%d to %d are foreseen", p50, p95)
				}
			}
			ahead := in.demands[0].Ahead(now)
			if p50, p95 := ahead.At(100 * time.Hour); !(p50 >= 0 && p95 >= p50*(1-1e-9)) {
				t.Fatalf("%v to %v are foreseen", p50, p95)
			}
		}
		if advice, _ := forecast.Advise([]*forecast.Advisor{a}, nil, true); advice.Needed < 0 || advice.Wait < 0 {
			t.Fatalf("advice %+v", advice)
		}
	})
}
