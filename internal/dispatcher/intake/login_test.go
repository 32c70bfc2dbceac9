// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// logIn asks for a token as a package does, without a credential in the header.
func logIn(f *fake, path, contentType, body string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return handle(f, r)
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func form(fields ...string) string {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return values.Encode()
}

// TestAPackageThatLogsInFirstGetsWhatTheIntakeAccepts, wherever it presents its key; nobody else gets anything, and the CRM is never asked.
func TestAPackageThatLogsInFirstGetsWhatTheIntakeAccepts(t *testing.T) {
	const adapter = "system:serviceaccount:contact-centre:adapter"
	f := &fake{plan: newPlan()}
	sign := withIssuer(t, f.plan)
	f.plan.Integrations[0].Clients = append(f.plan.Integrations[0].Clients, contract.Client{Name: "pod", ServiceAccount: adapter})
	good := sign(adapter, "crmquota.dev/contact-centre/zendesk")
	for name, c := range map[string]struct {
		contentType, body string
		header            []string
		status            int
		// token, or the error's code.
		want string
	}{
		"client credentials":              {formType, form("grant_type", "client_credentials", "client_id", "x", "client_secret", etlKey), nil, 200, etlKey},
		"in the header":                   {formType, form("grant_type", "client_credentials"), []string{"Authorization", basic("x", etlKey)}, 200, etlKey},
		"a password":                      {formType, form("grant_type", "password", "username", "x", "password", ccaiKey, "client_secret", "any"), nil, 200, ccaiKey},
		"a refresh token":                 {formType, form("grant_type", "refresh_token", "refresh_token", ccaiKey), nil, 200, ccaiKey},
		"JSON":                            {jsonType + "; charset=utf-8", `{"grant_type":"client_credentials","client_secret":"` + ccaiKey + `","expires_in":300}`, nil, 200, ccaiKey},
		"a service account token":         {formType, form("client_secret", good), nil, 200, good},
		"an unknown key":                  {formType, form("client_secret", "nobody"), nil, 401, "invalid_client"},
		"a token for another CRM":         {formType, form("client_secret", sign(adapter, "crmquota.dev/contact-centre/hubspot")), nil, 401, "invalid_client"},
		"the hash of a key":               {formType, form("client_secret", hashOf(ccaiKey)), nil, 401, "invalid_client"},
		"nothing":                         {formType, form("grant_type", "client_credentials"), nil, 400, "invalid_request"},
		"a key that is there twice":       {formType, form("client_secret", ccaiKey, "client_secret", etlKey), nil, 400, "invalid_request"},
		"a key that is no text":           {jsonType, `{"client_secret":["` + ccaiKey + `"]}`, nil, 400, "invalid_request"},
		"no form":                         {formType, "client_secret=%zz", nil, 400, "invalid_request"},
		"no JSON":                         {jsonType, form("client_secret", ccaiKey), nil, 400, "invalid_request"},
		"a key in a field for users":      {formType, form("username", ccaiKey), nil, 400, "invalid_request"},
		"a key in the query is not taken": {formType, "", nil, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/oauth/tokens"
			if strings.Contains(name, "query") {
				path += "?client_secret=" + ccaiKey
			}
			response := logIn(f, path, c.contentType, c.body, c.header...)
			var got map[string]any
			if err := json.Unmarshal([]byte(bodyOf(t, response)), &got); err != nil {
				t.Fatal(err)
			}
			member := map[bool]string{true: "access_token", false: "error"}[c.status == http.StatusOK]
			if response.StatusCode != c.status || got[member] != c.want {
				t.Errorf("%d %v, want %d %s", response.StatusCode, got, c.status, c.want)
			}
			if response.Header.Get("Cache-Control") != "no-store" || response.Header.Get(contract.HeaderOrigin) != contract.OriginDispatcher {
				t.Errorf("the header is %v", response.Header)
			}
		})
	}
	if len(f.calls)+len(f.queued) != 0 {
		t.Errorf("%d calls went to the scheduler", len(f.calls)+len(f.queued))
	}
}

func TestALoginIsNotLongerThanAToken(t *testing.T) {
	response := logIn(&fake{plan: newPlan()}, "/oauth/tokens", formType, form("client_secret", strings.Repeat("x", maxLogin)))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", response.StatusCode)
	}
}

// TestSalesforcesLoginLeadsToTheIntake: its packages send their calls to where the answer says.
func TestSalesforcesLoginLeadsToTheIntake(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.plan.CRM.Provider = "Salesforce"
	for i := range f.plan.Integrations {
		f.plan.Integrations[i].Operations = nil
	}
	response := logIn(f, "/services/oauth2/token", formType, form("grant_type", "password", "username", "x", "password", ccaiKey))
	var got map[string]any
	if err := json.Unmarshal([]byte(bodyOf(t, response)), &got); err != nil {
		t.Fatal(err)
	}
	if _, is := got["issued_at"].(string); !is {
		t.Errorf("it was issued at %v", got["issued_at"])
	}
	delete(got, "issued_at")
	want := map[string]any{
		"access_token": ccaiKey, "token_type": "Bearer", "expires_in": 3600.0, "scope": "api",
		"instance_url": intakeURL, "id": intakeURL + "/services/oauth2/userinfo",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOnlyALoginIsOne: another method goes the way of all calls, and so does the path of a token endpoint that the CRM does not have.
func TestOnlyALoginIsOne(t *testing.T) {
	f := &fake{plan: newPlan()}
	handle(f, request("GET", "/oauth/tokens", ""))
	handle(f, request("POST", "/services/oauth2/token", form("client_secret", ccaiKey)))
	if len(f.calls) != 2 {
		t.Errorf("%d calls went to the scheduler, want 2", len(f.calls))
	}
}
