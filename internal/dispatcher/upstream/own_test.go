// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// own is a kind of credentials of an integration's own.
func own(secret string, kind contract.Credentials) contract.Credentials {
	kind.Own, kind.Secret = true, secret
	return kind
}

// TestOwnCredentials signs as each integration, and never as another one or as the CRM's own user.
func TestOwnCredentials(t *testing.T) {
	files := fstest.MapFS{
		"marketing/token": file("of marketing"), "etl/token": file("of etl"), "etl/hosts": file("other.test"),
	}
	credentials := Credentials{Files: fstest.MapFS{"token": file("of the CRM")}, Recent: &Recent{}, Own: NewOwn(files, nil)}
	kind := contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}}
	for name, c := range map[string]struct {
		kind contract.Credentials
		want http.Header
		says contract.CredentialsReport
	}{
		"the CRM's":     {kind, http.Header{"Authorization": {"Bearer of the CRM"}}, contract.CredentialsReport{Resolved: true}},
		"its own":       {own("marketing", kind), http.Header{"Authorization": {"Bearer of marketing"}}, contract.CredentialsReport{Resolved: true}},
		"another host":  {own("etl", kind), nil, contract.CredentialsReport{HostNotAllowed: true, Message: "the credentials Secret does not list this host under hosts"}},
		"no Secret":     {own("billing", kind), nil, contract.CredentialsReport{Message: `the credentials Secret lacks the key "token"`}},
		"no such name":  {own("../etl", kind), nil, contract.CredentialsReport{Message: `the credentials Secret lacks the key "token"`}},
		"the CRM's own": {own(".", kind), nil, contract.CredentialsReport{Message: `the credentials Secret lacks the key "token"`}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // what was read a moment ago is of this Secret, too
				if diff := cmp.Diff(c.says, credentials.Check(Destination{Endpoint: bearer.Endpoint, Credentials: c.kind})); diff != "" {
					t.Errorf("Check (-want +got):\n%s", diff)
				}
				var got http.Header
				if signed, err := credentials.sign(t.Context(), Destination{Endpoint: bearer.Endpoint, Credentials: c.kind}); err == nil {
					got = signed.header
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
			}
		})
	}
	none := Credentials{Files: fstest.MapFS{"token": file("of the CRM")}}
	if _, err := none.sign(t.Context(), Destination{Endpoint: bearer.Endpoint, Credentials: own("marketing", kind)}); !errors.Is(err, ErrCredentialsMissing) {
		t.Errorf("where nothing is mounted for integrations, the error is %v", err)
	}
}

// TestOwnTokenEndpointIsTheCRMs unless the Secret says otherwise: who declares an integration need not be allowed to read the Secret.
func TestOwnTokenEndpointIsTheCRMs(t *testing.T) {
	for name, c := range map[string]struct {
		own             bool
		hosts, tokenURL string
		want            error
	}{
		"at the endpoint":                      {true, "", "http://acme.crm.test/token", nil},
		"elsewhere":                            {true, "", "http://elsewhere.test/token", ErrHostNotAllowed},
		"elsewhere, listed":                    {true, "acme.crm.test elsewhere.test", "http://elsewhere.test/token", nil},
		"elsewhere, not listed":                {true, "acme.crm.test", "http://elsewhere.test/token", ErrHostNotAllowed},
		"elsewhere, as the CRM's author wants": {false, "", "http://elsewhere.test/token", nil},
	} {
		t.Run(name, func(t *testing.T) {
			keys := map[string]string{"id": "i", "secret": "s"}
			if c.hosts != "" {
				keys[contract.HostsKey] = c.hosts
			}
			kind := contract.Credentials{Own: c.own, OAuthClient: &contract.OAuthClientKeys{TokenURL: c.tokenURL, ClientID: "id", ClientSecret: "secret"}}
			if err := checkToken(kind, keys, "http://acme.crm.test"); !errors.Is(err, c.want) {
				t.Errorf("the error is %v, want %v", err, c.want)
			}
		})
	}
}

// TestAClientsOwnCredentialGoesOutAsItCame, whatever the dispatcher has itself.
func TestAClientsOwnCredentialGoesOutAsItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering(ok("{}"))}
		client := New(Options{Dialer: byPipe(server.dial), Credentials: Credentials{Files: fstest.MapFS{"token": file("of the CRM")}}, Now: time.Now})
		defer client.Close()
		what := get()
		what.Credential = call.NewCredential("Authorization", "Zoho-oauthtoken of the client")
		for _, to := range []Destination{bearer, {Endpoint: bearer.Endpoint}} {
			if o := client.Send(t.Context(), Issue(), to, what); o.Err != nil {
				t.Fatal(o.Err)
			}
			if got := server.last.Load().Header["Authorization"]; !slices.Equal(got, []string{"Zoho-oauthtoken of the client"}) {
				t.Errorf("it was signed with %q", got)
			}
		}
		what.Credential = nil
		if o := client.Send(t.Context(), Issue(), Destination{Endpoint: bearer.Endpoint}, what); o.Err == nil || o.Sent {
			t.Errorf("without any credential the outcome is %+v", o)
		}
	})
}
