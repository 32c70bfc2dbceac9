// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

func TestFlags(t *testing.T) {
	o, err := parseServe(strings.Fields("--listen :1 --control :2 --limit minute=400/60s:rolling --limit day=2500/calendar:Europe/Berlin " +
		"--token a --token b --latency 20ms --stamp Random --outage reset@1s+2s " +
		"--oauth-client app:secret --oauth-refresh-token first --oauth-rotate --oauth-life 5m"))
	if err != nil {
		t.Fatal(err)
	}
	c := o.config
	if o.listen != ":1" || o.control != ":2" || len(c.Limits) != 2 || len(c.Tokens) != 2 || len(c.Outages) != 1 ||
		c.Latency != 20*time.Millisecond || c.Stamp != crmsim.Random {
		t.Errorf("got %+v", o)
	}
	want := crmsim.OAuth{ClientID: "app", ClientSecret: "secret", RefreshToken: "first", Rotate: true, Life: 5 * time.Minute}
	if c.OAuth == nil || *c.OAuth != want {
		t.Errorf("the token endpoint is %+v, want %+v", c.OAuth, want)
	}
}

func TestLicenceIsThatOfTheCRM(t *testing.T) {
	for _, name := range crmsim.Names() {
		o, err := parseServe([]string{"--crm", name, "--licence", "--limit", "own=1/1s"})
		if err != nil || o.config.CRM != name || len(o.config.Limits) != 1+len(crmsim.Licence(name)) || len(o.config.Limits) == 1 {
			t.Errorf("%s has %v, %v", name, o.config.Limits, err)
		}
	}
}

func TestFlagsSayWhatIsWrong(t *testing.T) {
	tests := map[string]string{
		"--limit minute=400":            "no '/'",
		"--limit a=1/1s --limit a=2/2s": "name is used twice",
		"--crm Siebel":                  `crm "Siebel" is not one of`,
		"--zone Mars":                   "unknown time zone Mars",
		"--item-failures 101":           "itemFailures must be 0 to 100",
		"--stamp Never":                 `stamp "Never"`,
		"--latency -1s":                 "latency must not be negative",
		"--tls-cert cert.pem":           "belong together",
		"prune":                         "unknown command prune",
		"--outage slow":                 "slow needs one",
		"--oauth-rotate":                "--oauth-client is missing",
		"--oauth-client app":            "needs an ID and a secret",
		"--oauth-client a:b --oauth-assertion-key none.pem": "none.pem",
	}
	for args, want := range tests {
		t.Run(args, func(t *testing.T) {
			if _, err := parseServe(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// get retries until the server listens.
func get(t *testing.T, url string) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			return response.StatusCode
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestServeAndReport(t *testing.T) {
	o, err := parseServe([]string{"--listen", ports.Free(t), "--control", ports.Free(t), "--limit", "minute=1/60s:rolling,judge"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()

	for range 2 {
		if status := get(t, "http://"+o.listen+"/api/v2/users/me.json"); status != http.StatusOK {
			t.Errorf("the API answers %d", status)
		}
	}
	var text, raw strings.Builder
	control := "http://" + o.control
	if err := printReport(ctx, []string{"--control", control}, &text); err != nil || !strings.Contains(text.String(), "CurrentUser 2") {
		t.Errorf("%v: %s", err, text.String())
	}
	err = printReport(ctx, []string{"--control", control + "/", "--json", "--check"}, &raw)
	if err == nil || !strings.Contains(err.Error(), "limit minute was overrun 1 times") || !strings.HasPrefix(raw.String(), "{") {
		t.Errorf("the check of an overrun gives %v: %s", err, raw.String())
	}

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
