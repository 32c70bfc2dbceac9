// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// halfHours are all of the time in which overrides are drawn that hold once, and of 400 days more. Every time that these tests draw is one, and so is every change
// of a clock, so between two of them nothing changes.
var halfHours = func() (out []time.Time) {
	for at := now; at.Before(now.AddDate(0, 0, 320+400)); at = at.Add(30 * time.Minute) {
		out = append(out, at)
	}
	return out
}()

var zoneCache = map[string]*time.Location{}

func loadZone(name string) (*time.Location, error) {
	if zone, known := zoneCache[name]; known {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	zoneCache[name] = zone
	return zone, err
}

// sums is what entries guarantee of a limit at every half hour: units, and percent of those that are declared so.
type sums struct{ units, percent []int64 }

func addUp(t *rapid.T, l contract.Limit, entries ...contract.Integration) sums {
	s := sums{make([]int64, len(halfHours)), make([]int64, len(halfHours))}
	for _, e := range entries {
		schedule, err := contract.NewSchedule(e.Overrides, loadZone)
		if err != nil {
			t.Fatal(err)
		}
		for n, at := range halfHours {
			part := e.ShareAt(schedule, at).Of(l.Name)
			if part.GuaranteedCalls != nil {
				s.units[n] += *part.GuaranteedCalls
			} else {
				s.units[n] += (l.Calls + l.Concurrent) * part.GuaranteedPercent / 100
				s.percent[n] += part.GuaranteedPercent
			}
		}
	}
	return s
}

// excess is the first half hour at which more is guaranteed than there is; empty if there is none.
func excess(s sums, l contract.Limit, external int64) string {
	for n := range halfHours {
		size := l.Calls + l.Concurrent
		if s.units[n] > size-size*external/100 || s.percent[n] > 100-external {
			return fmt.Sprintf("at %s %d of %d calls and %d percent of %s are guaranteed, besides %d percent for others",
				halfHours[n].Format(time.RFC3339), s.units[n], size, s.percent[n], l.Name, external)
		}
	}
	return ""
}

// sharedOut are the limits that integrations have parts of, in force or under the licence that follows, each size once.
func sharedOut(p *contract.Plan) (out []contract.Limit) {
	all := p.Limits
	if p.Next != nil {
		all = slices.Concat(all, p.Next.Limits)
	}
	for _, l := range all {
		if !l.PerRecord && !slices.ContainsFunc(out, func(o contract.Limit) bool { return o.Name == l.Name && o.Size() == l.Size() }) {
			out = append(out, l)
		}
	}
	return out
}

func TestGuaranteesFitAtEveryInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p *contract.Plan
		for n := range rapid.IntRange(1, 3).Draw(t, "edits") {
			p = drawWorld(t, fmt.Sprintf("world %d", n)).compile(throughJSON(t, p)).Plan
		}
		if p == nil {
			return
		}
		for _, l := range sharedOut(p) {
			if found := excess(addUp(t, l, p.Integrations...), l, p.ExternalPercent); found != "" {
				t.Fatal(found)
			}
		}
	})
}

func TestNothingIsRefusedThatFitsAtEveryInstant(t *testing.T) {
	refusals := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, "world")
		out := w.compile(nil)
		if out.Plan == nil {
			return
		}
		for _, i := range w.integrations {
			if decision(out, i.Name).Reason != v1alpha1.ReasonGuaranteeExceedsLicence {
				continue
			}
			refusals++
			alone := plan.Compile(plan.Input{CRM: w.crm, Integrations: []v1alpha1.Integration{i}, Now: now})
			if len(alone.Plan.Integrations) == 0 {
				continue // too large for the licence by itself
			}
			if !slices.ContainsFunc(sharedOut(out.Plan), func(l contract.Limit) bool {
				all := append(slices.Clone(out.Plan.Integrations), alone.Plan.Integrations[0])
				return excess(addUp(t, l, all...), l, out.Plan.ExternalPercent) != ""
			}) {
				t.Fatalf("%s is refused (%s), and would have fitted", i.Name, decision(out, i.Name).Message)
			}
		}
	})
	if refusals == 0 {
		t.Error("nothing was ever refused")
	}
}

var (
	workdays = []v1alpha1.Weekday{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
	allDays  = append([]v1alpha1.Weekday{"Saturday", "Sunday"}, workdays...)
)

func TestAdmissionByCalendar(t *testing.T) {
	const exceedsThen = "at all times, their overrides counted"
	office := func(percent int32) func(*v1alpha1.Integration) {
		return weekly("Europe/Berlin", "08:00", "18:00", share(percent), workdays...)
	}
	old := age(time.Hour)
	friday := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		before, after []v1alpha1.Integration
		want          map[string]admitted
		message       string // part of that for b
	}{
		"an override that does not fit is refused when it is declared": {
			after:   []v1alpha1.Integration{integration("a", percent(60), old), integration("b", percent(40), office(50))},
			want:    map[string]admitted{"a": {"60%", ok}, "b": {"-", exceeds}},
			message: "overrides[0] (o0).share.guaranteedPercent: 50 percent of limit minute are more than the 40 of 100 that other integrations leave: lower",
		},
		"a share that does not fit beside another's override is refused": {
			after:   []v1alpha1.Integration{integration("a", percent(20), office(60), old), integration("b", percent(50))},
			want:    map[string]admitted{"a": {"20%, 60%", ok}, "b": {"-", exceeds}},
			message: "share.guaranteedPercent: 50 percent of limit minute are more than the 40 of 100 that other integrations leave " + exceedsThen,
		},
		"shares that never hold together may exceed the licence": {
			after: []v1alpha1.Integration{integration("a", percent(20), office(80), old), integration("b", percent(80), office(20))},
			want:  map[string]admitted{"a": {"20%, 80%", ok}, "b": {"80%, 20%", ok}},
		},
		"but not by the hours between two zones": {
			after: []v1alpha1.Integration{
				integration("a", percent(20), office(80), old), integration("b", percent(80), weekly("Europe/London", "08:00", "18:00", share(20), workdays...)),
			},
			want: map[string]admitted{"a": {"20%, 80%", ok}, "b": {"-", exceeds}},
		},
		"nor in the weeks when clocks have been changed in one zone and not yet in the other": {
			// New York is six hours behind Berlin but for some weeks in spring and autumn.
			after: []v1alpha1.Integration{
				integration("a", percent(20), weekly("Europe/Berlin", "14:00", "20:00", share(80), allDays...), old),
				integration("b", percent(80), weekly("America/New_York", "08:00", "14:00", share(20), allDays...)),
			},
			want: map[string]admitted{"a": {"20%, 80%", ok}, "b": {"-", exceeds}},
		},
		"hours over midnight meet those of the next morning": {
			after: []v1alpha1.Integration{
				integration("a", weekly("UTC", "22:00", "06:00", share(60), "Saturday"), old), integration("b", weekly("UTC", "05:00", "07:00", share(60), "Sunday")),
			},
			want: map[string]admitted{"a": {"0%, 60%", ok}, "b": {"-", exceeds}},
		},
		"and not those of the same morning": {
			after: []v1alpha1.Integration{
				integration("a", weekly("UTC", "22:00", "06:00", share(60), "Saturday"), old), integration("b", weekly("UTC", "05:00", "07:00", share(60), "Saturday")),
			},
			want: map[string]admitted{"a": {"0%, 60%", ok}, "b": {"0%, 60%", ok}},
		},
		"a day's override meets the hours of that day": {
			after: []v1alpha1.Integration{integration("a", office(60), old), integration("b", once(friday, friday.Add(24*time.Hour), share(60)))},
			want:  map[string]admitted{"a": {"0%, 60%", ok}, "b": {"-", exceeds}},
		},
		"a Saturday's override does not": {
			after: []v1alpha1.Integration{integration("a", office(60), old), integration("b", once(friday.Add(24*time.Hour), friday.Add(48*time.Hour), share(60)))},
			want:  map[string]admitted{"a": {"0%, 60%", ok}, "b": {"0%, 60%", ok}},
		},
		"what an override lowered is back when it ends": {
			after: []v1alpha1.Integration{
				integration("a", percent(60), weekly("UTC", "22:00", "06:00", share(0), "Saturday"), old),
				integration("b", weekly("UTC", "05:00", "07:00", share(60), "Sunday")),
			},
			want: map[string]admitted{"a": {"60%, 0%", ok}, "b": {"-", exceeds}},
		},
		"and so it is after weeks": {
			after: []v1alpha1.Integration{
				integration("a", percent(60), once(friday, friday.Add(14*24*time.Hour), share(0)), old), integration("b", weekly("UTC", "05:00", "07:00", share(60), "Sunday")),
			},
			want: map[string]admitted{"a": {"60%, 0%", ok}, "b": {"-", exceeds}},
		},
		"an override that is over counts no more": {
			after: []v1alpha1.Integration{integration("a", percent(60), old), integration("b", percent(40), once(now.Add(-time.Hour), now, share(100)))},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"40%, 100%", ok}},
		},
		"one that ends in a second does": {
			after: []v1alpha1.Integration{integration("a", percent(60), old), integration("b", percent(40), once(now.Add(-time.Hour), now.Add(time.Second), share(100)))},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"-", exceeds}},
		},
		"the first of two overrides decides": {
			after: []v1alpha1.Integration{integration("a", percent(60), old), integration("b", office(40), weekly("UTC", "00:00", "24:00", share(0), allDays...), percent(100))},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"100%, 40%, 0%", ok}},
		},
		"an override that lowers the share makes no room at other times": {
			after: []v1alpha1.Integration{integration("a", percent(60), office(0), old), integration("b", percent(60))},
			want:  map[string]admitted{"a": {"60%, 0%", ok}, "b": {"-", exceeds}},
		},
		"what an override was granted is not taken by an older one's edit": {
			before: []v1alpha1.Integration{integration("a", percent(40), old), integration("b", office(60))},
			after:  []v1alpha1.Integration{integration("a", percent(50), old), integration("b", office(60))},
			want:   map[string]admitted{"a": {"40%", exceeds}, "b": {"0%, 60%", ok}},
		},
		"an override that is refused keeps the share there was": {
			before: []v1alpha1.Integration{integration("a", percent(40), old), integration("b", percent(60))},
			after:  []v1alpha1.Integration{integration("a", percent(40), old), integration("b", percent(50), office(70))},
			want:   map[string]admitted{"a": {"40%", ok}, "b": {"60%", exceeds}},
		},
		"an override that another gives up can be taken at the same time": {
			before: []v1alpha1.Integration{integration("a", percent(40), old), integration("b", office(60))},
			after:  []v1alpha1.Integration{integration("a", percent(40), office(60), old), integration("b", office(40))},
			want:   map[string]admitted{"a": {"40%, 60%", ok}, "b": {"0%, 40%", ok}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var previous *contract.Plan
			if row.before != nil {
				previous = throughJSON(t, compile(crm(), nil, row.before...).Plan)
			}
			out := compile(crm(), previous, row.after...)
			if diff := cmp.Diff(row.want, outcome(out), cmp.AllowUnexported(admitted{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if got := decision(out, "b").Message; !strings.Contains(got, row.message) {
				t.Errorf("message %q, want %q in it", got, row.message)
			}
		})
	}
}

func TestALicenceThatShrinksCutsOverridesTooYoungestFirst(t *testing.T) {
	declared := []v1alpha1.Integration{
		integration("a", calls("minute", 100), weekly("UTC", "08:00", "18:00", share(60), workdays...), age(time.Hour)),
		integration("b", percent(10), weekly("UTC", "00:00", "24:00", share(40), workdays...)),
	}
	before := compile(crm(), nil, declared...).Plan
	shrunk := crm(func(c *v1alpha1.CRM) {
		c.Spec.Licence.Limits[0].Calls, c.Spec.Licence.ExternalPercent = 120, new(int32(20))
	})
	out := compile(shrunk, throughJSON(t, before), declared...)
	// Percentages go first: b keeps 40 of the 80 percent that are left, and a gets what remains of both its shares.
	want := map[string]admitted{"a": {"[minute:48], 40%", exceeds}, "b": {"10%, 40%", ok}}
	if diff := cmp.Diff(want, outcome(out), cmp.AllowUnexported(admitted{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestOverridesThatGuaranteeTheSameAreCutToo(t *testing.T) {
	declared := integration("a", percent(100), once(now, now.Add(time.Hour), share(100)))
	before := compile(crm(), nil, declared).Plan
	out := compile(crm(func(c *v1alpha1.CRM) { c.Spec.Licence.ExternalPercent = new(int32(10)) }), throughJSON(t, before), declared)
	want := map[string]admitted{"a": {"90%, 90%", exceeds}}
	if diff := cmp.Diff(want, outcome(out), cmp.AllowUnexported(admitted{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestWhoWaitsForAnOverrideToEndIsLookedAtThen(t *testing.T) {
	campaign := integration("a", percent(20), once(now, now.Add(2*time.Hour), share(80)), age(time.Hour))
	waits := integration("b", percent(50))
	for name, row := range map[string]struct {
		declared []v1alpha1.Integration
		want     time.Duration
	}{
		"nobody waits":          {[]v1alpha1.Integration{campaign}, 0},
		"one waits":             {[]v1alpha1.Integration{campaign, waits}, 2 * time.Hour},
		"two end by time":       {[]v1alpha1.Integration{campaign, waits, integration("c", once(now, now.Add(time.Hour), share(0)))}, time.Hour},
		"one waits for an edit": {[]v1alpha1.Integration{integration("a", percent(60), age(time.Hour)), waits}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := compile(crm(), nil, row.declared...).RecheckAfter; got != row.want {
				t.Errorf("recheck after %s, want %s", got, row.want)
			}
		})
	}
	later := plan.Compile(plan.Input{CRM: crm(), Integrations: []v1alpha1.Integration{campaign, waits}, Now: now.Add(2 * time.Hour)})
	if d := decision(later, "b"); !d.OK() {
		t.Errorf("once the override has ended: %+v", d)
	}
}

func TestTooManyTimesAreRefusedToTheYoungestOnly(t *testing.T) {
	// Each has an hour of its own, in a zone of its own and once, which is more than can be looked at.
	var declared []v1alpha1.Integration
	for n := range 400 {
		from := now.Add(time.Duration(n) * 8 * 24 * time.Hour)
		declared = append(declared, integration(fmt.Sprintf("i%03d", n), age(time.Duration(1000-n)*time.Minute),
			once(from, from.Add(9*24*time.Hour), share(0)), weekly("Europe/Berlin", fmt.Sprintf("%02d:%02d", n/30, n%30), "23:00", share(1), workdays...)))
	}
	out := compile(crm(), nil, declared...)
	admitted := 0
	for n := range declared {
		d := decision(out, declared[n].Name)
		switch {
		case d.OK() && admitted == n:
			admitted++
		case d.Reason != v1alpha1.ReasonTooManyOverrides:
			t.Fatalf("%s: %+v after %d were admitted, want %s", declared[n].Name, d, admitted, v1alpha1.ReasonTooManyOverrides)
		}
	}
	if admitted < 20 || admitted == len(declared) {
		t.Errorf("%d of %d were admitted", admitted, len(declared))
	}
	again := compile(crm(), throughJSON(t, out.Plan), declared...)
	if diff := cmp.Diff(out, again); diff != "" {
		t.Errorf("compiling again (-first +second):\n%s", diff)
	}
}

func TestOverridesReachThePlan(t *testing.T) {
	friday := time.Date(2026, 11, 27, 0, 0, 0, 0, time.FixedZone("", 3600))
	perLimit := share(10)
	perLimit.PerLimit = []v1alpha1.LimitShare{{Limit: "minute", MaxCalls: 50}, {Limit: "day", GuaranteedCalls: new(int64(5)), MaxPercent: 40}}
	perLimit.Reclaim, perLimit.LendPercent, perLimit.Weight = v1alpha1.ReclaimWithinWindow, new(int32(0)), 7
	out := compile(crm(), nil, integration("a", percent(20), once(friday, friday.Add(time.Hour), perLimit), weekly("Europe/Berlin", "22:00", "24:00", share(30), "Sunday")))
	from, until := friday.UTC(), friday.Add(time.Hour).UTC()
	want := []contract.Override{
		{Name: "o0", From: &from, Until: &until, Share: contract.Share{
			Part: contract.Part{GuaranteedPercent: 10, MaxPercent: 100}, Weight: 7, ReclaimWithinWindow: true,
			PerLimit: map[string]contract.Part{
				"minute": {GuaranteedPercent: 10, MaxPercent: 100, MaxCalls: new(int64(50))},
				"day":    {GuaranteedCalls: new(int64(5)), MaxPercent: 40},
			},
		}},
		{
			Name: "o1", Weekly: &contract.Weekly{Days: []string{"Sunday"}, Start: "22:00", End: "24:00", TimeZone: "Europe/Berlin"},
			Share: contract.Share{Part: contract.Part{GuaranteedPercent: 30, MaxPercent: 100}, Weight: 1, LendPercent: 50},
		},
	}
	if diff := cmp.Diff(want, entry(t, out.Plan, "a").Overrides); diff != "" {
		t.Errorf("overrides (-want +got):\n%s", diff)
	}
}

func TestAnUnknownTimeZoneOfAnOverrideIsRefused(t *testing.T) {
	out := compile(crm(), nil, integration("a", weekly("Europe/Atlantis", "08:00", "18:00", share(5), "Sunday")))
	want := plan.Decision{
		Reason:  v1alpha1.ReasonUnknownTimeZone,
		Message: `overrides: o0: weekly.timeZone: there is no time zone "Europe/Atlantis"; use an IANA name such as Europe/Berlin`,
	}
	if diff := cmp.Diff(want, decision(out, "a")); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}
