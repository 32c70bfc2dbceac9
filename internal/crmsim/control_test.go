// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// control calls the control API.
func (w world) control(method, path, body string) (status int, answer string) {
	w.Helper()
	recorder := httptest.NewRecorder()
	w.sim.Control().ServeHTTP(recorder, httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body)))
	return recorder.Code, recorder.Body.String()
}

func TestControlSteersTheCRM(t *testing.T) {
	inBubble(t, Config{}, func(w world) {
		post := func(path, body string) {
			w.Helper()
			if status, answer := w.control(http.MethodPost, path, body); status != http.StatusNoContent {
				w.Errorf("%s: %d %s", path, status, answer)
			}
		}
		post("/_sim/limits", `["minute=2/60s", "day=9/calendar:Europe/Berlin"]`)
		w.create("a")
		w.create("a")
		w.wantStatus(w.create("b"), http.StatusTooManyRequests)

		post("/_sim/limits", `[]`)
		post("/_sim/outage", `["unavailable"]`)
		w.wantStatus(w.create("c"), http.StatusServiceUnavailable)
		post("/_sim/outage", `[]`)
		w.wantStatus(w.create("d"), http.StatusCreated)

		if _, tickets := w.control(http.MethodGet, "/_sim/tickets", ""); tickets != `{"a":[1,2],"d":[3]}` {
			w.Errorf("tickets are %s", tickets)
		}
		var report Report
		_, body := w.control(http.MethodGet, "/_sim/report", "")
		if err := json.Unmarshal([]byte(body), &report); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(w.sim.Report().Problems(), report.Problems()); diff != "" || len(report.Problems()) != 2 {
			w.Errorf("problems over the wire are %v (-want +got):\n%s", report.Problems(), diff)
		}

		post("/_sim/reset", "")
		if r := w.sim.Report(); r.Arrivals != 0 || r.Tickets.Created != 0 || len(r.Limits) != 0 {
			w.Errorf("after the reset: %+v", r)
		}
	})
}

func TestControlSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct{ path, body, want string }{
		"no list":        {"/_sim/limits", `{}`, "the body must be a JSON list of strings"},
		"no limit":       {"/_sim/limits", `["minute"]`, "no '='"},
		"one name twice": {"/_sim/limits", `["a=1/1s", "a=2/2s"]`, "name is used twice"},
		"no outage":      {"/_sim/outage", `["fire"]`, `kind "fire" is not one of`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(w world) {
				status, answer := w.control(http.MethodPost, test.path, test.body)
				if status != http.StatusBadRequest || !strings.Contains(answer, test.want) {
					w.Errorf("got %d %s", status, answer)
				}
			})
		})
	}
}

func TestReportAsText(t *testing.T) {
	inBubble(t, Config{Limits: limits("minute=1/60s:rolling,judge"), Stamp: AtArrival}, func(w world) {
		w.create("a")
		w.create("a")
		var text strings.Builder
		if err := w.sim.Report().WriteText(&text); err != nil {
			w.Fatal(err)
		}
		want := `since          2000-01-01T00:00:00Z (0s), calls counted AtArrival
arrivals       2 (CreateTicket 2)
outcomes       Answered 2
callers        anonymous 2
refusals 0
tickets        2 created, 0 updates, 1 external ids doubled

LIMIT                     ARRIVALS PEAK ALLOWED PEAK AT              OVERRUNS
minute=1/1m0s:rolling,judge 2 2 1 2000-01-01T00:00:00Z 1

problems: 2
- limit minute was overrun 1 times; the worst was 2 of 1 from 2000-01-01T00:00:00Z
- 1 external ids have more than one ticket
`
		if diff := cmp.Diff(squeeze(want), squeeze(text.String())); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// squeeze makes runs of blanks one, so that the test does not depend on the width of columns.
func squeeze(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestConfigIsValidated(t *testing.T) {
	tests := map[string]struct {
		config Config
		want   string
	}{
		"a negative latency": {Config{Latency: -1}, "latency must not be negative"},
		"an unknown stamp":   {Config{Stamp: "Never"}, `stamp "Never" is not one of`},
		"a bad limit":        {Config{Limits: append(limits("a=1/1s"), limits("a=1/1s")...)}, "name is used twice"},
		"a bad outage":       {Config{Outages: []Outage{{Kind: Slow}}}, "slow needs one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.config.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			defer func() {
				if recover() == nil {
					t.Error("New takes it")
				}
			}()
			New(test.config)
		})
	}
}
