// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	agentToken = "agents-own-token-of-the-crm-0123"
	agentBasic = "agent@acme.com/token:agents-own-key-0123"
	agentKey   = "agents-own-key-in-a-header-0123"
)

// bringing has the clients of etl bring their own credentials of the CRM.
func bringing() *fake {
	f := &fake{plan: newPlan()}
	f.plan.Credentials.Header = &contract.HeaderKeys{Header: "X-Api-Key", Value: "key"}
	etl := &f.plan.Integrations[1]
	etl.ShareReads, etl.Clients = true, nil
	for name, secret := range map[string]string{"token": agentToken, "basic": agentBasic, "key": agentKey} {
		etl.Clients = append(etl.Clients, contract.Client{Name: name, CRMCredentialSHA256: []string{hashOf(secret)}})
	}
	return f
}

// TestAClientIsRecognisedByTheCRMsCredential, which goes out untouched with the call and stands nowhere else in it.
func TestAClientIsRecognisedByTheCRMsCredential(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		client string
		passed http.Header
	}{
		"a Bearer token":          {http.Header{"Authorization": {"Bearer " + agentToken}}, "token", http.Header{"Authorization": {"Bearer " + agentToken}}},
		"another scheme":          {http.Header{"Authorization": {"Zoho-oauthtoken " + agentToken}}, "token", http.Header{"Authorization": {"Zoho-oauthtoken " + agentToken}}},
		"user and password":       {http.Header{"Authorization": {basic("agent@acme.com/token", "agents-own-key-0123")}}, "basic", http.Header{"Authorization": {basic("agent@acme.com/token", "agents-own-key-0123")}}},
		"a key header":            {http.Header{"X-Api-Key": {agentKey}}, "key", http.Header{"X-Api-Key": {agentKey}}},
		"only the one it is":      {http.Header{"X-Api-Key": {agentKey}, "Authorization": {"Bearer other"}}, "key", http.Header{"X-Api-Key": {agentKey}}},
		"another user":            {http.Header{"Authorization": {basic("boss@acme.com/token", "agents-own-key-0123")}}, "", nil},
		"the password alone":      {http.Header{"Authorization": {"Bearer agents-own-key-0123"}}, "", nil},
		"its hash":                {http.Header{"Authorization": {"Bearer " + hashOf(agentToken)}}, "", nil},
		"two of them":             {http.Header{"Authorization": {"Bearer " + agentToken, "Bearer " + agentToken}}, "", nil},
		"a key of ours is enough": {http.Header{"Authorization": {"Bearer " + ccaiKey}}, "adapter", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := bringing()
			r := request("GET", "/api/v2/users/me.json", "")
			r.Header = c.header.Clone()
			response := handle(f, r)
			if c.client == "" {
				if response.StatusCode != http.StatusUnauthorized || len(f.calls) != 0 {
					t.Errorf("status %d, %d calls", response.StatusCode, len(f.calls))
				}
				return
			}
			if response.StatusCode != http.StatusOK || len(f.calls) != 1 {
				t.Fatalf("status %d, %d calls", response.StatusCode, len(f.calls))
			}
			got := f.calls[0]
			var passed http.Header
			if got.Credential != nil {
				passed = got.Credential.Header()
			}
			if diff := cmp.Diff(c.passed, passed); diff != "" || got.Client != c.client {
				t.Errorf("%s passes on (-want +got):\n%s", got.Client, diff)
			}
			if len(got.Header) != 0 {
				t.Errorf("the call's own header is %v", got.Header)
			}
		})
	}
}

// TestCallsWithTheClientsCredentialAreNotStored, and not taken for those of another client.
func TestCallsWithTheClientsCredentialAreNotStored(t *testing.T) {
	f := bringing()
	response := handle(f, request("POST", "/api/v2/tickets.json", "{}", "Authorization", "Bearer "+agentToken, "Prefer", "respond-async"))
	if response.StatusCode != http.StatusBadRequest || response.Header.Get(contract.HeaderReason) != string(contract.ReasonBadRequest) || len(f.queued) != 0 {
		t.Errorf("status %d, %v, %d queued", response.StatusCode, response.Header, len(f.queued))
	}
	handle(f, request("GET", "/api/v2/users/me.json", "", "Authorization", "Bearer "+agentToken))
	handle(f, request("GET", "/api/v2/users/me.json", "", "Authorization", basic("agent@acme.com/token", "agents-own-key-0123")))
	if len(f.calls) != 2 || f.calls[0].Identity == f.calls[1].Identity || f.calls[0].Identity == [32]byte{} {
		t.Errorf("equal reads of two users of the CRM are one: %d calls", len(f.calls))
	}
}
