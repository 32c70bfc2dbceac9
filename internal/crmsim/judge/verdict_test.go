// SPDX-License-Identifier: Apache-2.0

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
		"weighted: two thirds of the limit, and half a window later the rest": {"l=6/60s:weighted", at(0, 0, 0, 0, 90*s, 90*s, 90*s, 90*s), nil, 6},
		"weighted: one more": {
			"l=6/60s:weighted", at(0, 0, 0, 0, 90*s, 90*s, 90*s, 90*s, 90*s), []Window{secs(30, 90, 7)}, 7,
		},
		"weighted: parts of a call round up":           {"l=3/60s:weighted", at(0, 0, 61*s, 61*s), []Window{secs(1, 61, 4)}, 4},
		"weighted: an offset moves the windows":        {"l=2/60s:weighted:30s", at(0, 0, 59*s, 59*s), []Window{secs(-1, 59, 4)}, 4},
		"stepped: as rolling, and a step more":         {"l=2/60s:stepped:10s", at(0, 0, 70*s), nil, 2},
		"stepped: the last moment of that step":        {"l=2/60s:stepped:10s", at(0, 0, 70*s-1), []Window{secs(0, 70, 3)}, 3},
		"skew: stamped early and late by the nodes":    {"l=1/60s,skew=500ms", at(0, 61*s-1), []Window{secsFrom(500*time.Millisecond, 60*s, 2)}, 2},
		"skew: both nodes' error further apart":        {"l=1/60s,skew=500ms", at(0, 61*s), nil, 1},
		"late: counted any time until then":            {"l=1/60s,late=5s", at(0, 65*s-1), []Window{secs(5, 65, 2)}, 2},
		"late: not later":                              {"l=1/60s,late=5s", at(0, 65*s), nil, 1},
		"hour: up to the full hour":                    {"l=1/hour:UTC", at(0, time.Hour-1, time.Hour), []Window{secs(0, 3600, 2)}, 2},
		"month: to the last of it":                     {"l=1/month:UTC", at(0, 7*24*time.Hour+12*time.Hour), nil, 1},
		"month: in Berlin the clocks change meanwhile": {"l=1/month:Europe/Berlin", at(0, 7*24*time.Hour+11*time.Hour-1), []Window{october}, 2},
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

// october is the month by clocks in Berlin: an hour longer than its 31 days.
var october = Window{Start: time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC), End: time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), Calls: 2}

func secsFrom(start, length time.Duration, calls int) Window {
	return Window{Start: noon.Add(start), End: noon.Add(start + length), Calls: calls}
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

func TestJudgeCountsAnHourThatClocksShowTwiceAsOne(t *testing.T) {
	// In Berlin clocks show 2:00 to 3:00 from 0:00 to 2:00 UTC on 2026-10-25; where they go by half an hour, 1:00 to 2:00 takes an hour and a half.
	tests := map[string]struct {
		zone       string
		start, end time.Time
	}{
		"Berlin":    {"Europe/Berlin", time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC)},
		"Lord Howe": {"Australia/Lord_Howe", time.Date(2026, 4, 4, 14, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 15, 30, 0, 0, time.UTC)},
		"Kolkata":   {"Asia/Kolkata", time.Date(2026, 4, 4, 14, 30, 0, 0, time.UTC), time.Date(2026, 4, 4, 15, 30, 0, 0, time.UTC)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := limit.MustParse("hour=1/hour:" + test.zone)[0]
			got := Judge(l, at(test.start.Sub(noon)-1, test.start.Sub(noon), test.end.Sub(noon)-1, test.end.Sub(noon)))
			if diff := cmp.Diff([]Window{{Start: test.start, End: test.end, Calls: 2}}, got.Overruns); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudgeCountsApart(t *testing.T) {
	arrivals := at(0, 0, 0, 0, 0)
	for i, record := range []string{"7", "7", "8", "", "7"} {
		arrivals[i].Operation, arrivals[i].Record, arrivals[i].Path = "UpdateTicket", record, "/api/v2/tickets/"+record
	}
	arrivals[4].Credential = "agent@example.test"
	tests := map[string]struct {
		limit    string
		arrivals int
		overruns []Window
	}{
		"by the operation's record":       {"l=2/600s,operation=UpdateTicket,per=record", 4, []Window{secsOf(600, 3, "7")}},
		"by what the path's star is":      {"l=1/600s,path=/api/v2/tickets/*,per=record", 4, []Window{secsOf(600, 3, "7")}},
		"by the first of two path's star": {"l=1/600s,path=/api/v2/*/**,per=record", 5, []Window{secsOf(600, 5, "tickets")}},
		"by the credential":               {"l=3/600s,per=credential", 5, []Window{secsOf(600, 4, "")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Judge(limit.MustParse(test.limit)[0], arrivals)
			if diff := cmp.Diff(test.overruns, got.Overruns); diff != "" || got.Arrivals != test.arrivals || got.Peak != test.overruns[0] {
				t.Errorf("judged %d arrivals, peak %v; overruns (-want +got):\n%s", got.Arrivals, got.Peak, diff)
			}
		})
	}
}

func secsOf(end, calls int, of string) Window {
	w := secs(0, end, calls)
	w.Of = of
	return w
}

func TestJudgeCountsWhatCallsCost(t *testing.T) {
	arrivals := at(0, 1, 2)
	arrivals[1].Operation = "Search"
	for _, text := range []string{"l=41/60s,cost=Search:40", "l=41/60s:fixed,cost=Search:40", "l=1/60s:bucket:41,cost=Search:40"} {
		got := Judge(limit.MustParse(text)[0], arrivals)
		if got.Peak.Calls != 42 || got.OverrunCount != 1 || got.Arrivals != 3 {
			t.Errorf("%s: %d arrivals, peak %v, %d overruns", text, got.Arrivals, got.Peak, got.OverrunCount)
		}
	}
}

func TestJudgeTakesAJobForInFlightUntilItEnds(t *testing.T) {
	const s = time.Second
	job := func(n int, from, answered, end time.Duration) []Arrival {
		all := lasting(n, from, answered)
		for i := range all {
			all[i].Operation, all[i].JobEnd = "CreateMany", noon.Add(end)
		}
		return all
	}
	tests := map[string]struct {
		arrivals []Arrival
		peak     int
	}{
		"a job that begins when another ends":     {join(job(2, 0, 1*s, 9*s), job(2, 9*s, 10*s, 11*s)), 2},
		"a job that begins before":                {join(job(2, 0, 1*s, 9*s), job(1, 8*s, 10*s, 11*s)), 3},
		"a job that ends before its answer comes": {join(job(2, 0, 9*s, 1*s), job(1, 8*s, 10*s, 11*s)), 3},
		"a call that starts none":                 {join(job(2, 0, 1*s, 9*s), lasting(1, 2*s, 3*s)), 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Judge(limit.MustParse("jobs=2/jobs,operation=CreateMany")[0], test.arrivals)
			if got.Peak.Calls != test.peak || (got.OverrunCount > 0) != (test.peak > 2) {
				t.Errorf("peak %v, %d overruns; want %d in flight", got.Peak, got.OverrunCount, test.peak)
			}
		})
	}
}

func TestJudgeLooksOnlyAtWhatTheLimitIsAbout(t *testing.T) {
	arrivals := at(0, 0, 0, 0)
	arrivals[0].Operation, arrivals[1].Operation = "UpdateTicket", "UpdateTicket"
	arrivals[1].Credential = "agent@example.test"
	arrivals[2].Method, arrivals[2].Path = "PUT", "/api/v2/tickets/7.json"
	arrivals[3].Path = "/api/v2/tickets/7/comments"
	tests := map[string]struct {
		limit string
		want  int
	}{
		"all":            {"l=9/1s", 4},
		"one operation":  {"l=9/1s,operation=UpdateTicket", 2},
		"one credential": {"l=9/1s,credential=agent@example.test", 1},
		"one method":     {"l=9/1s,method=PUT", 1},
		"a path":         {"l=9/1s,path=/api/v2/tickets/*", 1},
		"all below it":   {"l=9/1s,path=/api/v2/tickets/**", 2},
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
	for _, text := range []string{"m=400/60s", "m=400/60s:fixed", "m=400/60s:bucket:100", "d=2500/calendar:Europe/Berlin", "c=20/concurrent",
		"m=400/60s:weighted", "m=400/60s:stepped:1s"} {
		l := limit.MustParse(text)[0]
		b.Run(fmt.Sprintf("%s of %d arrivals", l.Kind, n), func(b *testing.B) {
			for b.Loop() {
				Judge(l, arrivals)
			}
		})
	}
}
