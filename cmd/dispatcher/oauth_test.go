// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// TestSignsInByARotatingRefreshToken: three lives of a dispatcher on one volume, each begins with a refresh token that the one before it was given; then
// somebody revokes it, the condition says so, and a new one in the Secret mends it without a restart.
func TestSignsInByARotatingRefreshToken(t *testing.T) {
	const secret, first = "the-clients-s3cret", "the-first-refresh-t0ken"
	config := crmsim.Config{OAuth: &crmsim.OAuth{ClientID: "app", ClientSecret: secret, RefreshToken: first, Rotate: true, Life: 10 * time.Minute}}
	crm := startCRM(t, config)
	w := newWorld(t, crm.url)
	keep := func(key, value string) {
		if err := os.WriteFile(filepath.Join(w.options.credentialsDir, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep("client-id", "app")
	keep("client-secret", secret)
	keep("refresh-token", first)
	keep("hosts", "127.0.0.1")
	w.plan.Credentials = contract.Credentials{Secret: "s", OAuthRefresh: &contract.OAuthRefreshKeys{
		TokenURL: crm.url + "/oauth/tokens", ClientID: "client-id", ClientSecret: "client-secret", RefreshToken: "refresh-token",
	}}
	var d *running
	for life := range 3 {
		d = w.start()
		if got := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, fmt.Sprint("t-", life))); got.status != http.StatusCreated {
			t.Errorf("life %d: %d %s", life, got.status, got.body)
		}
		if report := d.report(0, 0); !report.Credentials.Resolved {
			t.Errorf("life %d: %+v", life, report.Credentials)
		}
		if life < 2 {
			d.stop()
		}
	}
	if issued := crm.sim.Report().TokenRequests["issued"]; issued != 3 {
		t.Errorf("%d tokens were issued, want one for each life", issued)
	}

	other := startCRM(t, config) // knows none of the tokens that were issued
	w.plan.Sequence, w.plan.Endpoint, w.plan.Credentials.OAuthRefresh.TokenURL = 2, other.url, other.url+"/oauth/tokens"
	w.writePlan()
	eventually(t, func() bool { return d.report(2, 1).Credentials.Token == contract.TokenReauthorize })
	refused := d.call("GET", "/api/v2/users/me.json", "")
	if refused.status != http.StatusServiceUnavailable || refused.header.Get("Crmquota-Reason") != string(contract.ReasonNoCredentials) ||
		!strings.Contains(refused.body, "invalid_grant") {
		t.Errorf("without a token: %d %v %s", refused.status, refused.header, refused.body)
	}
	keep("client-secret", "wrong")
	eventually(t, func() bool { return d.report(2, 0).Credentials.Token == contract.TokenRefused })
	metrics := d.metrics()
	if strings.Contains(metrics+refused.body, secret) || strings.Contains(metrics+refused.body, first) {
		t.Error("a secret appears")
	}
	config.OAuth.RefreshToken = "authorised-anew"
	mended := startCRM(t, config)
	w.plan.Sequence, w.plan.Endpoint, w.plan.Credentials.OAuthRefresh.TokenURL = 3, mended.url, mended.url+"/oauth/tokens"
	keep("client-secret", secret)
	keep("refresh-token", "authorised-anew")
	w.writePlan()
	eventually(t, func() bool { return d.report(3, 1).Credentials.Resolved })
	if got := d.call("GET", "/api/v2/users/me.json", ""); got.status != http.StatusOK {
		t.Errorf("after the new authorisation: %d %s", got.status, got.body)
	}
}
