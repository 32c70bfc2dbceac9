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
			Limit{Name: "u", Calls: 100, Kind: Rolling, Window: time.Minute, JudgeOnly: true, Operation: "UpdateTicket", Credential: "a@example.test"},
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
