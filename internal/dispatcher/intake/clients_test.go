// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const issuer = "https://kubernetes.default.svc"

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// withIssuer adds an issuer to the plan, and returns what signs its tokens for a subject and an audience.
func withIssuer(t *testing.T, plan *contract.Plan) func(subject, audience string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	plan.TokenIssuers = []contract.TokenIssuer{{Issuer: issuer, Keys: set}}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(subject, audience string) string {
		now := time.Now()
		raw, err := jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: issuer, Subject: subject, Audience: jwt.Audience{audience},
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
}

func TestAuthenticate(t *testing.T) {
	const adapter = "system:serviceaccount:contact-centre:adapter"
	plan := newPlan()
	sign := withIssuer(t, plan)
	plan.Integrations[0].Clients = append(plan.Integrations[0].Clients, contract.Client{Name: "pod", ServiceAccount: adapter})
	plan.Credentials.Header = &contract.HeaderKeys{Header: "X-Api-Key", Value: "key"}
	view, err := newView(plan)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(adapter, "crmquota.dev/contact-centre/zendesk")

	for name, test := range map[string]struct {
		header       http.Header
		want         string // integration and client
		wantNoAccess string // part of the reason
	}{
		"a Bearer key":                       {http.Header{"Authorization": {"Bearer " + ccaiKey}}, "contact-centre/ccai adapter", ""},
		"the scheme's case does not matter":  {http.Header{"Authorization": {"bearer  " + etlKey}}, "contact-centre/etl job", ""},
		"a Basic password of any user":       {http.Header{"Authorization": {basic("agent@acme.com/token", ccaiKey)}}, "contact-centre/ccai adapter", ""},
		"the CRM's key header":               {http.Header{"X-Api-Key": {etlKey}}, "contact-centre/etl job", ""},
		"the key header beside another slot": {http.Header{"Authorization": {"Bearer other"}, "X-Api-Key": {etlKey}}, "contact-centre/etl job", ""},
		"a token":                            {http.Header{"Authorization": {"Bearer " + good}}, "contact-centre/ccai pod", ""},
		"a token as Basic password":          {http.Header{"Authorization": {basic("x", good)}}, "contact-centre/ccai pod", ""},

		"nothing":                      {http.Header{}, "", "present an API key"},
		"an unknown key":               {http.Header{"Authorization": {"Bearer nobody"}}, "", "not one of a client"},
		"an empty key":                 {http.Header{"Authorization": {basic("user", "")}}, "", "not one of a client"},
		"the hash itself":              {http.Header{"Authorization": {"Bearer " + hashOf(ccaiKey)}}, "", "not one of a client"},
		"a key as Basic user":          {http.Header{"Authorization": {basic(ccaiKey, "x")}}, "", "not one of a client"},
		"a key in an unknown scheme":   {http.Header{"Authorization": {"Digest " + ccaiKey}}, "", "present an API key"},
		"two credentials":              {http.Header{"Authorization": {"Bearer " + ccaiKey, "Bearer " + etlKey}}, "", "present an API key"},
		"two key headers":              {http.Header{"X-Api-Key": {ccaiKey, etlKey}}, "", "present an API key"},
		"a token of another account":   {http.Header{"Authorization": {"Bearer " + sign("system:serviceaccount:contact-centre:other", "crmquota.dev/contact-centre/zendesk")}}, "", "service account is not a client"},
		"a token for another CRM":      {http.Header{"Authorization": {"Bearer " + sign(adapter, "crmquota.dev/contact-centre/hubspot")}}, "", "not meant for the audience"},
		"a token for the API server":   {http.Header{"Authorization": {"Bearer " + sign(adapter, issuer)}}, "", "not meant for the audience"},
		"a token whose end is changed": {http.Header{"Authorization": {"Bearer " + good[:len(good)-8] + "AAAAAAAA"}}, "", "signature does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := view.clients.authenticate(time.Now(), test.header)
			if test.wantNoAccess != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantNoAccess) || who.integration != nil {
					t.Fatalf("got %v, %v; want a refusal with %q", who, err, test.wantNoAccess)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := who.integration.Key() + " " + who.client; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestUnknownCallersGetAChallenge(t *testing.T) {
	f := &fake{plan: newPlan()}
	r := request("GET", "/api/v2/search", "", "Authorization", "Bearer nobody")
	response := handle(f, r)
	if response.StatusCode != http.StatusUnauthorized || len(response.Header.Values("Www-Authenticate")) != 2 {
		t.Errorf("got %d with %v", response.StatusCode, response.Header)
	}
	if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if len(f.calls)+len(f.queued) != 0 {
		t.Error("the call was taken")
	}
}

// TestKeysStandWhereTheCRMsWould: a client changes its base URL and the value of its credential, nothing else.
func TestKeysStandWhereTheCRMsWould(t *testing.T) {
	for name, test := range map[string]struct {
		provider string
		header   http.Header
		known    bool
	}{
		"Salesforce has sessions as Bearer tokens": {"Salesforce", http.Header{"Authorization": {"Bearer " + ccaiKey}}, true},
		"HubSpot has Bearer tokens":                {"HubSpot", http.Header{"Authorization": {"Bearer " + ccaiKey}}, true},
		"Freshdesk has keys as users":              {"Freshdesk", http.Header{"Authorization": {basic(ccaiKey, "X")}}, true},
		"Zendesk has none there":                   {"Zendesk", http.Header{"Authorization": {basic(ccaiKey, "X")}}, false},
		"Pipedrive has a header":                   {"Pipedrive", http.Header{"X-Api-Token": {ccaiKey}}, true},
		"HubSpot has no such header":               {"HubSpot", http.Header{"X-Api-Token": {ccaiKey}}, false},
		"Zoho has a scheme":                        {"ZohoCRM", http.Header{"Authorization": {"Zoho-oauthtoken " + ccaiKey}}, true},
		"Intercom has no such scheme":              {"Intercom", http.Header{"Authorization": {"Zoho-oauthtoken " + ccaiKey}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			plan := newPlan()
			plan.CRM.Provider = test.provider
			view, err := newView(plan)
			if err != nil {
				t.Fatal(err)
			}
			who, err := view.clients.authenticate(time.Now(), test.header)
			if (err == nil) != test.known || test.known && who.client != "adapter" {
				t.Errorf("got %+v, %v", who, err)
			}
			for name, values := range forwarded(test.header, view.private) {
				if test.known && name != "Authorization" { // which no call to the CRM has
					t.Errorf("%s: %v is passed on", name, values)
				}
			}
		})
	}
}
