// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/test/pipes"
)

// refusedBy makes a call that fits, and then as many that do not as it takes.
func (c *target) refusedBy(r refusal) (what call, got answer) {
	c.Helper()
	what, known := c.filled(r.call)
	if !known {
		c.Fatalf("%s has placeholders", what.path)
	}
	if got = c.send(what); got.status >= http.StatusMultipleChoices {
		c.Fatalf("%s was answered %d before the limit: %s", what.path, got.status, got.body)
	}
	for range r.pushes {
		c.send(what)
	}
	if got = c.send(what); got.status != r.status {
		c.Fatalf("%s was answered %d past the limit, want %d: %s", what.path, got.status, r.status, got.body)
	}
	return what, got
}

// TestRefusalsAreRecognised: and whoever waits for as long as the adapter says is not refused again.
func TestRefusalsAreRecognised(t *testing.T) {
	simulatedOnly(t)
	for _, s := range suites {
		for _, r := range s.refusals {
			inBubble(t, s, r.name, crmsim.Config{Limits: limit.MustParse(r.limit)}, func(c *target) {
				what, got := c.refusedBy(r)
				wait, is := refused(c.provider, what, got, time.Now())
				switch {
				case !is:
					c.Fatalf("%d %s is not recognised", got.status, got.body)
				case !r.told:
					return // the adapter's own pause, or the dispatcher's, which grows until it suffices
				case wait == 0:
					c.Fatalf("the CRM tells how long to wait, the adapter does not: %v", got.header)
				}
				time.Sleep(wait)
				if again := c.send(what); again.status == r.status {
					c.Errorf("after %v the call is refused again: %v", wait, again.header)
				}
			})
		}
	}
}

// inBubble runs a test of a refusal in virtual time, before a simulated CRM that is reached through pipes.
func inBubble(t *testing.T, s suite, name string, config crmsim.Config, test func(c *target)) {
	t.Helper()
	t.Run(s.provider+"/"+name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := provider.ByName(s.provider)
			sim := simulated(s, config)
			network := make(pipes.Listener)
			server := &http.Server{Handler: sim, ReadHeaderTimeout: time.Minute}
			go func() { _ = server.Serve(network) }()
			transport := &http.Transport{DialContext: network.Dial}
			defer func() { // also after a fatal failure: nothing may be left in the bubble
				transport.CloseIdleConnections()
				sim.Close()
				_ = server.Close()
			}()
			test(&target{
				T: t, suite: s, provider: p, url: "http://crm.test", secret: simulatedSecret, sim: sim, vars: map[string]string{},
				client: &http.Client{Transport: transport},
			})
		})
	})
}

// TestBusyCRMsAreRecognised: too many calls at a time are a refusal, too.
func TestBusyCRMsAreRecognised(t *testing.T) {
	simulatedOnly(t)
	for _, s := range suites {
		if s.busy == 0 {
			continue
		}
		inBubble(t, s, "busy", crmsim.Config{Limits: limit.MustParse("busy=1/concurrent", "day=100/24h"), Latency: time.Second}, func(c *target) {
			probe, _ := c.filled(s.probe)
			answers := make(chan answer, 2)
			for range 2 {
				go func() { answers <- c.send(probe) }()
			}
			got := []answer{<-answers, <-answers}
			slices.SortFunc(got, func(a, b answer) int { return a.status - b.status })
			if got[0].status >= http.StatusMultipleChoices || got[1].status != s.busy {
				c.Fatalf("answered %d and %d, want one to be %d", got[0].status, got[1].status, s.busy)
			}
			if _, is := refused(c.provider, probe, got[1], time.Now()); !is {
				c.Errorf("%d %s is not recognised", got[1].status, got[1].body)
			}
			if _, is := refused(c.provider, probe, got[0], time.Now()); is {
				c.Errorf("%d %s counts as a refusal", got[0].status, got[0].body)
			}
		})
	}
}

// TestOtherFailuresAreNoRefusals: what is wrong with the call, or with the CRM, is no reason to say that the licence is used up.
func TestOtherFailuresAreNoRefusals(t *testing.T) {
	each(t, func(c *target) {
		probe, _ := c.filled(c.suite.probe)
		stranger, elsewhere := probe, probe
		stranger.header = []string{"Authorization", "Bearer of-a-stranger"}
		elsewhere.path = "/this/is/no/endpoint"
		failures := map[string]call{"a stranger": stranger, "a path that is not there": elsewhere}
		for name, what := range failures {
			got := c.send(what)
			if _, is := refused(c.provider, what, got, time.Now()); is || got.status < http.StatusBadRequest {
				c.Errorf("%s: %d %s counts as a refusal: %v", name, got.status, got.body, is)
			}
		}
		if c.sim == nil {
			return
		}
		for _, kind := range []crmsim.OutageKind{crmsim.ServerError, crmsim.Unavailable} {
			if err := c.sim.SetOutages(crmsim.Outage{Kind: kind}); err != nil {
				c.Fatal(err)
			}
			got := c.send(probe)
			if _, is := refused(c.provider, probe, got, time.Now()); is {
				c.Errorf("%s: %d %s counts as a refusal", kind, got.status, got.body)
			}
		}
	})
}

// TestOwnRefusalsLookLikeTheCRMs: clients must take them for the CRM's. They may say more.
func TestOwnRefusalsLookLikeTheCRMs(t *testing.T) {
	simulatedOnly(t)
	for _, s := range suites {
		for _, r := range s.refusals {
			if r.strange {
				continue
			}
			t.Run(s.provider+"/"+r.name, func(t *testing.T) {
				c := open(t, s, r.limit)
				what, theirs := c.refusedBy(r)
				own := c.provider.Refusal(dialect.Refusal{Reason: contract.ReasonLimitReached, Limit: "minute", RetryAfter: 7 * time.Second, Detail: "the share is used up"})
				if own.Status != theirs.status {
					t.Errorf("ours is %d, theirs %d", own.Status, theirs.status)
				}
				if ours, want := mediaType(own.Header), mediaType(theirs.header); ours != want {
					t.Errorf("ours is %s, theirs %s", ours, want)
				}
				if theirs.header.Get("Retry-After") != "" && own.Header.Get("Retry-After") != "7" {
					t.Errorf("Retry-After of ours is %q", own.Header.Get("Retry-After"))
				}
				for _, missing := range differences(shapeOf(theirs.body, !r.unconfirmed), shapeOf(own.Body, !r.unconfirmed)) {
					t.Errorf("ours lacks %s: %s; theirs: %s", missing, own.Body, theirs.body)
				}
				if _, is := refused(c.provider, what, answer{own.Status, own.Header, own.Body}, time.Now()); !is {
					t.Errorf("the adapter does not recognise its own refusal: %s", own.Body)
				}
			})
		}
	}
}

func mediaType(h http.Header) string {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // what cannot be read is none
	return media
}

// codes are members by whose value clients tell a refusal from other errors.
var codes = []string{"code", "error", "errorCode", "errorType", "category", "status", "success", "type"}

// volatile are members that name the single request, and a policy that ours may not know.
var volatile = []string{"correlationId", "policyName", "requestId"}

// shapeOf lists the paths of a JSON body's members, with the values of codes if those are asked for.
func shapeOf(body []byte, withCodes bool) []string {
	var root any
	if json.Unmarshal(body, &root) != nil {
		return []string{"a body that is no JSON"}
	}
	var shape []string
	var walk func(path, name string, value any)
	walk = func(path, name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for inner, v := range value {
				if !slices.Contains(volatile, inner) {
					walk(path+"/"+inner, inner, v)
				}
			}
		case []any:
			shape = append(shape, path+" is a list")
			for _, v := range value {
				walk(path+"/*", name, v)
			}
		case nil:
		default:
			if withCodes && slices.Contains(codes, name) {
				path += fmt.Sprintf("=%v", value)
			}
			shape = append(shape, path)
		}
	}
	walk("", "", root)
	return shape
}

// differences are what of want is missing in have.
func differences(want, have []string) (missing []string) {
	for _, part := range want {
		if !slices.Contains(have, part) {
			missing = append(missing, part)
		}
	}
	return missing
}
