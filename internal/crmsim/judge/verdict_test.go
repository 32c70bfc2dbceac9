package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

var noon = time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)

// at makes arrivals that are counted, and served within the instant, so long after noon.
func at(offsets ...time.Duration) []Arrival {
	var all []Arrival
	for _, offset := range offsets {
		t := noon.Add(offset)
		all = append(all, Arrival{Received: t, Earliest: t, Latest: t, Released: t, Outcome: Answered})
	}
	return all
}

// lasting makes n arrivals that the CRM may have counted at any moment of a stretch.
func lasting(n int, from, to time.Duration) []Arrival {
	var all []Arrival
	for range n {
		all = append(all, Arrival{
			Received: noon.Add(from), Earliest: noon.Add(from), Latest: noon.Add(to), Released: noon.Add(to), Outcome: Answered,
		})
	}
	return all
}

func times(n int, offset time.Duration) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = offset
	}
	return out
}

func join[T any](parts ...[]T) []T {
	var all []T
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func TestJudgeReportsASenderThatBreaksALimitByOne(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		limit    string
		arrivals []Arrival
		overruns []Window // in seconds after noon, see window
		peak     int
	}{
		"rolling: the limit itself is no overrun":         {"l=3/60s", at(0, 10*s, 59*s), nil, 3},
		"rolling: one more":                               {"l=3/60s", at(0, 10*s, 59*s, 59*s), []Window{secs(0, 60, 4)}, 4},
		"rolling: one more, out of order":                 {"l=3/60s", at(59*s, 10*s, 59*s, 0), []Window{secs(0, 60, 4)}, 4},
		"rolling: at the end of the window is outside it": {"l=3/60s", at(0, 0, 0, 60*s), nil, 3},
		"rolling: a nanosecond before its end is inside":  {"l=3/60s", at(0, 0, 0, 60*s-1), []Window{secs(0, 60, 4)}, 4},
		"rolling: a call that may have been counted late": {"l=3/60s", join(lasting(1, 0, 5*s), at(1*s, 2*s, 64*s)), nil, 3},
		"rolling: and one that may fall in with three more": {
			"l=3/60s", join(lasting(1, 0, 5*s), at(6*s, 7*s, 64*s)), []Window{secs(5, 65, 4)}, 4,
		},
		"rolling: stretches apart are overruns of their own": {
			"l=1/10s", at(0, 1*s, 2*s, 50*s, 51*s), []Window{secs(0, 10, 3), secs(50, 60, 2)}, 3,
		},
		"fixed: twice the limit round the boundary is allowed": {"l=3/60s:fixed", at(59*s, 59*s, 59*s, 60*s, 60*s, 60*s), nil, 3},
		"fixed: one more in one window":                        {"l=3/60s:fixed", at(0, 10*s, 20*s, 59*s), []Window{secs(0, 60, 4)}, 4},
		"fixed: an offset moves the boundary":                  {"l=3/60s:fixed:30s", at(29*s, 29*s, 29*s, 30*s), nil, 3},
		"fixed: at the offset boundary the window is new":      {"l=3/60s:fixed:30s", at(30*s, 30*s, 30*s, 89*s), []Window{secs(30, 90, 4)}, 4},
		"fixed: adjacent windows are two overruns":             {"l=1/60s:fixed", at(0, 0, 60*s, 60*s), []Window{secs(0, 60, 2), secs(60, 120, 2)}, 2},
		"fixed: a call that may count in either counts in both": {
			"l=1/60s:fixed", join(at(0), lasting(1, 59*s, 60*s), at(61*s)), []Window{secs(0, 60, 2), secs(60, 120, 2)}, 2,
		},
		"bucket: the burst, then as fast as it refills": {"l=60/60s:bucket:3", at(0, 0, 0, 1*s, 2*s, 3*s), nil, 3},
		"bucket: one more than the burst":               {"l=60/60s:bucket:3", at(0, 0, 0, 0), []Window{secs(0, 0, 4)}, 4},
		"bucket: a nanosecond before the refill":        {"l=60/60s:bucket:3", at(0, 0, 0, 1*s-1), []Window{secsEnd(0, 1*s-1, 4)}, 4},
		"concurrent: as many as there are slots":        {"l=2/concurrent", join(lasting(2, 0, 5*s), lasting(2, 5*s, 9*s)), nil, 2},
		"concurrent: one more": {
			"l=2/concurrent", join(lasting(2, 0, 5*s), lasting(1, 4*s, 9*s)), []Window{secs(0, 4, 3)}, 3,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := limit.MustParse(test.limit)[0]
			got := Judge(l, test.arrivals)
			if diff := cmp.Diff(test.overruns, got.Overruns); diff != "" && len(test.overruns)+len(got.Overruns) > 0 {
				t.Errorf("overruns (-want +got):\n%s", diff)
			}
			if got.OverrunCount != len(test.overruns) || got.Peak.Calls != test.peak || got.Arrivals != len(test.arrivals) {
				t.Errorf("got %d overruns, peak %d, %d arrivals; want %d, %d, %d",
					got.OverrunCount, got.Peak.Calls, got.Arrivals, len(test.overruns), test.peak, len(test.arrivals))
			}
		})
	}
}

func secs(start, end, calls int) Window {
	return secsEnd(start, time.Duration(end)*time.Second, calls)
}

func secsEnd(start int, end time.Duration, calls int) Window {
	return Window{Start: noon.Add(time.Duration(start) * time.Second), End: noon.Add(end), Calls: calls}
}

func TestJudgeCountsCalendarDaysByTheRulesOfTheZone(t *testing.T) {
	// In Berlin 2026-10-25 has 25 hours: from 22:00 UTC on the 24th to 23:00 UTC on the 25th.
	start := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC).Sub(noon)
	end := start + 25*time.Hour
	tests := map[string]struct {
		offsets  []time.Duration
		overruns int
	}{
		"the limit on each of two days":              {join(times(3, start-1), times(3, start)), 0},
		"one more in the first instant of the day":   {join(times(3, end-1), times(1, start)), 1},
		"one more in the hour that is there twice":   {join(times(3, start), times(1, start+3*time.Hour)), 1},
		"one more, 24 hours and a half into the day": {join(times(3, start), times(1, end-time.Hour/2)), 1},
		"the day after": {join(times(3, start), times(3, end)), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Judge(limit.MustParse("day=3/calendar:Europe/Berlin")[0], at(test.offsets...))
			if got.OverrunCount != test.overruns {
				t.Errorf("got %d overruns %v, want %d", got.OverrunCount, got.Overruns, test.overruns)
			}
			for _, w := range got.Overruns {
				if w.End.Sub(w.Start) != 25*time.Hour {
					t.Errorf("the day is reported as %v to %v", w.Start, w.End)
				}
			}
		})
	}
}

func TestJudgeTellsTheFullestPositionOfAFixedWindow(t *testing.T) {
	got := Judge(limit.MustParse("l=3/60s:fixed")[0], at(59*time.Second, 59*time.Second, 60*time.Second))
	if got.Peak.Calls != 2 || got.PeakAnywhere != secs(59, 119, 3) {
		t.Errorf("got peak %v and anywhere %v", got.Peak, got.PeakAnywhere)
	}
}

func TestJudgeLooksOnlyAtWhatTheLimitIsAbout(t *testing.T) {
	arrivals := at(0, 0, 0, 0)
	arrivals[0].Operation, arrivals[1].Operation = "UpdateTicket", "UpdateTicket"
	arrivals[1].Credential = "agent@example.test"
	tests := map[string]struct {
		limit string
		want  int
	}{
		"all":            {"l=9/1s", 4},
		"one operation":  {"l=9/1s,operation=UpdateTicket", 2},
		"one credential": {"l=9/1s,credential=agent@example.test", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Judge(limit.MustParse(test.limit)[0], arrivals); got.Arrivals != test.want {
				t.Errorf("judged %d arrivals, want %d", got.Arrivals, test.want)
			}
		})
	}
}

func TestJudgeListsABoundedNumberOfOverruns(t *testing.T) {
	var offsets []time.Duration
	for i := range 2 * maxListed {
		offsets = append(offsets, times(2, time.Duration(i)*time.Minute)...)
	}
	got := Judge(limit.MustParse("l=1/1s")[0], at(offsets...))
	if got.OverrunCount != 2*maxListed || len(got.Overruns) != maxListed {
		t.Errorf("counted %d and listed %d", got.OverrunCount, len(got.Overruns))
	}
}

func TestLogKeepsUpToItsCapacityAndCountsTheRest(t *testing.T) {
	log := NewLog(2)
	arrivals := at(0, 1, 2)
	for i, a := range arrivals {
		id := log.Begin(Arrival{Received: a.Received})
		if i != 1 {
			log.End(id, a)
		}
	}
	later := noon.Add(time.Hour)
	pending := Arrival{Received: noon.Add(1), Earliest: noon.Add(1), Latest: later, Released: later, Outcome: InService}
	got, dropped := log.Snapshot(later)
	if diff := cmp.Diff([]Arrival{arrivals[0], pending}, got); diff != "" || dropped != 1 {
		t.Errorf("dropped %d; (-want +got):\n%s", dropped, diff)
	}
}

func TestCompareEffects(t *testing.T) {
	got := CompareEffects([]string{"b", "a", "c", "c"}, map[string][]int64{"b": {1}, "c": {2, 3}, "x": {4}})
	if diff := cmp.Diff(Effects{Lost: []string{"a"}, Doubled: []string{"c"}, Unwanted: []string{"x"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkJudge(b *testing.B) {
	const n = 1_000_000
	arrivals := make([]Arrival, 0, n)
	for i := range n {
		t := noon.Add(time.Duration(i) * 150 * time.Millisecond)
		arrivals = append(arrivals, Arrival{Received: t, Earliest: t, Latest: t.Add(time.Second), Released: t.Add(time.Second)})
	}
	for _, text := range []string{"m=400/60s", "m=400/60s:fixed", "m=400/60s:bucket:100", "d=2500/calendar:Europe/Berlin", "c=20/concurrent"} {
		l := limit.MustParse(text)[0]
		b.Run(fmt.Sprintf("%s of %d arrivals", l.Kind, n), func(b *testing.B) {
			for b.Loop() {
				Judge(l, arrivals)
			}
		})
	}
}
