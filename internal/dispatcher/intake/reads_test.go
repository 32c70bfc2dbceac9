// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/lookup"
)

// reader asks an intake that keeps answers of searches for 30 seconds.
type reader struct {
	*fake
	t  *testing.T
	in *Intake
}

func newReader(t *testing.T, answer func(n int, c *call.Call) *call.Answer) *reader {
	plan := newPlan()
	plan.Integrations[0].ShareReads = true
	plan.Integrations[0].CachedReads = []contract.CachedRead{{Operation: "SearchUsers", Seconds: 30}, {Path: "/api/v2/fields/**", Seconds: 300}}
	f := &fake{plan: plan}
	f.do = func(_ context.Context, c *call.Call, _ time.Duration) (*call.Answer, error) {
		return answer(len(f.calls), c), nil
	}
	return &reader{f, t, New(Options{Calls: f, Log: slog.New(slog.DiscardHandler)})}
}

// get returns the body of the answer.
func (r *reader) get(target string, header ...string) (*http.Response, string) {
	r.t.Helper()
	recorder := httptest.NewRecorder()
	r.in.ServeHTTP(recorder, request("GET", target, "", header...))
	response := recorder.Result()
	return response, bodyOf(r.t, response)
}

func numbered(n int, _ *call.Call) *call.Answer { return answer(http.StatusOK, fmt.Sprint(n)) }

func TestAnswersAreKept(t *testing.T) {
	const search = "/api/v2/users/search.json?query=ann"
	cases := map[string]struct {
		first, second []string
		after         time.Duration
		kept          bool
	}{
		"for a while":                               {[]string{search}, []string{search}, 29 * time.Second, true},
		"not for longer":                            {[]string{search}, []string{search}, 30 * time.Second, false},
		"by path, too":                              {[]string{"/api/v2/fields/7"}, []string{"/api/v2/fields/7"}, 299 * time.Second, true},
		"not of what is not named":                  {[]string{"/api/v2/tickets/1"}, []string{"/api/v2/tickets/1"}, 0, false},
		"not for another query":                     {[]string{search}, []string{search + "a"}, 0, false},
		"not for another language":                  {[]string{search, "Accept-Language", "de"}, []string{search}, 0, false},
		"whoever asks":                              {[]string{search, "User-Agent", "a", "Traceparent", "1"}, []string{search, "User-Agent", "b"}, 0, true},
		"not for another integration":               {[]string{search}, []string{search, "Authorization", "Bearer " + etlKey}, 0, false},
		"not for who insists on the CRM's own word": {[]string{search}, []string{search, "Cache-Control", "no-cache"}, 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReader(t, numbered)
				r.plan.Integrations[1].CachedReads = r.plan.Integrations[0].CachedReads
				r.get(c.first[0], c.first[1:]...)
				time.Sleep(c.after)
				response, body := r.get(c.second[0], c.second[1:]...)
				if kept := body == "1"; kept != c.kept || len(r.calls) == 2 == c.kept || r.saved == 1 != c.kept {
					t.Errorf("the answer is that to call %s, %d calls were sent, %d were saved", body, len(r.calls), r.saved)
				}
				if age := response.Header.Get("Age"); c.kept && age != fmt.Sprint(int(c.after.Seconds())) {
					t.Errorf("Age: %q", age)
				}
			})
		})
	}
}

func TestNothingIsKeptUnderShadow(t *testing.T) {
	r := newReader(t, numbered)
	r.plan.Enforce = false
	for range 2 {
		r.get("/api/v2/fields/7")
	}
	if len(r.calls) != 2 || r.calls[0].Identity != [32]byte{} {
		t.Errorf("%d calls were sent, of identity %x", len(r.calls), r.calls[0].Identity)
	}
}

// TestAnAnswerThatStillHolds is asked for by its ETag and not read again.
func TestAnAnswerThatStillHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, func(n int, c *call.Call) *call.Answer {
			if c.Header.Get("If-None-Match") == `"v1"` && n < 3 {
				return answer(http.StatusNotModified, "")
			}
			a := answer(http.StatusOK, fmt.Sprint(n))
			a.Header.Set("ETag", `"v1"`)
			return a
		})
		var bodies []string
		for range 6 {
			response, body := r.get("/api/v2/users/search?query=ann")
			if response.StatusCode != http.StatusOK {
				t.Errorf("status %d", response.StatusCode)
			}
			bodies = append(bodies, body)
			time.Sleep(20 * time.Second)
		}
		// Sent at 0 s, as a question whether it holds at 40 s, and again at 80 s, when it does not.
		if got := strings.Join(bodies, ""); got != "111133" || len(r.calls) != 3 {
			t.Errorf("answers %s of %d calls", got, len(r.calls))
		}
	})
}

func TestALongAnswerIsPassedOnAndNotKept(t *testing.T) {
	long := strings.Repeat("x", lookup.MaxBody+1)
	r := newReader(t, func(int, *call.Call) *call.Answer {
		a := answer(http.StatusOK, "")
		a.Header.Set("Content-Type", "text/plain")
		a.Body = io.NopCloser(strings.NewReader(long))
		return a
	})
	for range 2 {
		if _, body := r.get("/api/v2/fields/7"); body != long {
			t.Errorf("%d bytes of %d came", len(body), len(long))
		}
	}
	if len(r.calls) != 2 {
		t.Errorf("%d calls", len(r.calls))
	}
}

// TestIdentity: what could change the answer tells calls apart, and only reads have one.
func TestIdentity(t *testing.T) {
	r := newReader(t, numbered)
	ask := func(method, target, body string, header ...string) [32]byte {
		r.in.ServeHTTP(httptest.NewRecorder(), request(method, target, body, header...))
		return r.calls[len(r.calls)-1].Identity
	}
	plain := ask("GET", "/api/v2/tickets/1", "")
	if plain == [32]byte{} || plain != ask("GET", "/api/v2/tickets/1", "", "X-Request-Id", "7") {
		t.Error("equal calls have not one identity")
	}
	for name, other := range map[string][32]byte{
		"another target": ask("GET", "/api/v2/tickets/1?x", ""), "another header": ask("GET", "/api/v2/tickets/1", "", "Accept", "text/csv"),
		"another method": ask("HEAD", "/api/v2/tickets/1", ""), "a body": ask("GET", "/api/v2/tickets/1", "{}"), "a write": ask("PUT", "/api/v2/tickets/1", ""),
	} {
		if other == plain {
			t.Errorf("%s makes no difference", name)
		}
	}
}

// TestAnswersAreNotKeptAcrossUsersOfTheCRM: an integration that gets its own user does not see what the CRM has told another.
func TestAnswersAreNotKeptAcrossUsersOfTheCRM(t *testing.T) {
	r := newReader(t, numbered)
	const target = "/api/v2/users/search.json?query=ada"
	if _, body := r.get(target); body != "1" {
		t.Fatalf("the first answer is %s", body)
	}
	if _, body := r.get(target); body != "1" {
		t.Fatalf("the answer was not kept: %s", body)
	}
	edited := newPlan()
	edited.Integrations[0].CachedReads = r.plan.Integrations[0].CachedReads
	edited.Integrations[0].Credentials = &contract.Credentials{Own: true, Secret: "s", Bearer: &contract.BearerKeys{Token: "token"}}
	r.plan = edited
	if _, body := r.get(target); body != "2" {
		t.Errorf("as another user it got answer %s", body)
	}
}
