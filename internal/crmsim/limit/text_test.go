// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		text string
		want Limit
	}{
		"rolling is the default":  {"minute=400/60s", Limit{Name: "minute", Calls: 400, Kind: Rolling, Window: time.Minute}},
		"fixed without an offset": {"m=1/10s:fixed", Limit{Name: "m", Calls: 1, Kind: Fixed, Window: 10 * time.Second}},
		"fixed with an offset":    {"m=1/10s:fixed:3s", Limit{Name: "m", Calls: 1, Kind: Fixed, Window: 10 * time.Second, Offset: 3 * time.Second}},
		"a token bucket":          {"m=400/1m:bucket:100", Limit{Name: "m", Calls: 400, Kind: TokenBucket, Window: time.Minute, Burst: 100}},
		"a calendar day":          {"day=2500/calendar:Europe/Berlin", Limit{Name: "day", Calls: 2500, Kind: CalendarDay, Zone: berlin}},
		"concurrent":              {"inflight=20/concurrent", Limit{Name: "inflight", Calls: 20, Kind: Concurrent}},
		"options": {
			"u=100/60s:rolling,judge,operation=UpdateTicket,credential=a@example.test",
			Limit{
				Name: "u", Calls: 100, Kind: Rolling, Window: time.Minute, JudgeOnly: true,
				Match: Match{Operation: "UpdateTicket", Credential: "a@example.test"},
			},
		},
		"weighted":         {"m=400/1m:weighted", Limit{Name: "m", Calls: 400, Kind: Weighted, Window: time.Minute}},
		"weighted, moved":  {"m=400/1m:weighted:5s", Limit{Name: "m", Calls: 400, Kind: Weighted, Window: time.Minute, Offset: 5 * time.Second}},
		"stepped":          {"m=400/1m:stepped:1s", Limit{Name: "m", Calls: 400, Kind: Stepped, Window: time.Minute, Step: time.Second}},
		"a calendar hour":  {"hour=9/hour:Europe/Berlin", Limit{Name: "hour", Calls: 9, Kind: CalendarHour, Zone: berlin}},
		"a calendar month": {"month=9/month:Europe/Berlin", Limit{Name: "month", Calls: 9, Kind: CalendarMonth, Zone: berlin}},
		"a record's limit": {
			"r=30/10m,method=PUT,path=/api/v2/tickets/*,per=record",
			Limit{Name: "r", Calls: 30, Kind: Rolling, Window: 10 * time.Minute, Match: Match{Method: "PUT", Path: "/api/v2/tickets/*"}, Per: PerRecord},
		},
		"each credential's": {"c=9/1s,per=credential", Limit{Name: "c", Calls: 9, Kind: Rolling, Window: time.Second, Per: PerCredential}},
		"jobs": {
			"jobs=30/jobs,operation=CreateManyTickets",
			Limit{Name: "jobs", Calls: 30, Kind: Jobs, Match: Match{Operation: "CreateManyTickets"}},
		},
		"costs": {
			"t=80/2s,cost=Search:40,cost=GetTicket:2",
			Limit{Name: "t", Calls: 80, Kind: Rolling, Window: 2 * time.Second, Costs: []Cost{{"Search", 40}, {"GetTicket", 2}}},
		},
		"another number shown": {"m=200/1m,shown=400", Limit{Name: "m", Calls: 200, Kind: Rolling, Window: time.Minute, Shown: 400}},
		"a fleet that counts late": {
			"m=4/1m,skew=500ms,late=5s", Limit{Name: "m", Calls: 4, Kind: Rolling, Window: time.Minute, Skew: 500 * time.Millisecond, Late: 5 * time.Second},
		},
	}
	zones := cmp.Comparer(func(a, b *time.Location) bool { return a == b || a != nil && b != nil && a.String() == b.String() })
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, zones); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := Parse(got.String())
			if diff := cmp.Diff(got, again, zones); err != nil || diff != "" {
				t.Errorf("%q does not read back: %v\n%s", got, err, diff)
			}
		})
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	tests := map[string]string{
		"minute":                           "no '='",
		"minute=400":                       "no '/'",
		"minute=many/60s":                  `"many" is not a number of calls`,
		"minute=400/soon":                  `"soon" is not a window`,
		"minute=400/60s:square":            `"square" is not a kind that follows a window`,
		"minute=400/60s:concurrent":        `"concurrent" is not a kind that follows a window`,
		"minute=400/60s:rolling:5s":        "rolling takes no parameter",
		"minute=400/60s:fixed:soon":        "invalid duration",
		"minute=400/60s:bucket":            "a bucket needs its size",
		"minute=400/60s:fixed:60s":         "offset must be at least 0 and less than the window",
		"minute=0/60s":                     "calls must be 1 to 1000000, not 0",
		"=1/60s":                           "name must not be empty",
		"day=1/calendar":                   "calendar needs a time zone",
		"day=1/calendar:Mars/Olympus_Mons": "unknown time zone",
		"minute=1/60s,often":               `option "often" is unknown`,
		"hour=1/2h:bucket:1":               "window of a bucket must be positive and at most 1h0m0s",
		"hour=1/2h:weighted":               "window of a weighted counter must be positive and at most 1h0m0s",
		"m=1/60s:weighted:61s":             "offset must be at least 0 and less than the window",
		"m=1/60s:stepped":                  "stepped needs the length of a step",
		"m=1/60s:stepped:7s":               "step must divide the window",
		"m=1/60s:stepped:1ms":              "into at most 10000",
		"jobs=30/jobs":                     "jobs must be narrowed",
		"c=3/concurrent,cost=Search:2":     "calls in flight are one each",
		"m=1/60s:bucket:1,skew=1s":         "a bucket has one clock",
		"m=1/60s,skew=30s":                 "skew must be at least 0 and less than half of the window",
		"h=1/hour:UTC,skew=30m":            "skew must be at least 0 and less than half of the window",
		"m=1/60s,late=-1s":                 "late must not be negative",
		"m=1/60s,late=soon":                `option "late=soon": time: invalid duration`,
		"m=1/60s,per=month":                "per must be record, credential or session",
		"m=1/60s,cost=Search":              `option "cost=Search"`,
		"m=1/60s,cost=Search:0":            "cost must be OPERATION:UNITS, units 1 to 10000",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			_, err := Parse(text)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			}
		})
	}
}

func TestValidateAllRefusesOneNameForTwoLimits(t *testing.T) {
	if err := ValidateAll(MustParse("a=1/1s", "b=1/1s", "a=2/2s")); err == nil || !strings.Contains(err.Error(), `"a": name is used twice`) {
		t.Errorf("got %v", err)
	}
}
