// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

// guarded is a client that dials as a dispatcher does, by TLS that trusts the server.
func guarded(t *testing.T, trust *tls.Config) *Client {
	t.Helper()
	files := fstest.MapFS{}
	for key, value := range map[string]string{"token": "s3cret", "id": "client", "secret": "s3cret"} {
		files[key] = &fstest.MapFile{Data: []byte(value)}
	}
	tokens := oauth.New(oauth.Options{Dialer: guard.Dialer, TLS: trust, Now: time.Now, Random: fixedRandom()})
	c := New(Options{Dialer: guard.Dialer, TLS: trust, Credentials: Credentials{Files: files, Tokens: tokens}, Now: time.Now})
	t.Cleanup(func() {
		c.Close()
		tokens.Close()
	})
	return c
}

// TestPrivateAddressesNeedTheManifestsWord: this machine is private. Without the word nothing arrives, also over no connection that was made while there was one.
func TestPrivateAddressesNeedTheManifestsWord(t *testing.T) {
	var arrivals atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrivals.Add(1) }))
	t.Cleanup(server.Close)
	client := guarded(t, nil)
	for _, step := range []struct {
		network contract.Network
		answers bool
	}{{contract.NetworkPublic, false}, {contract.NetworkPrivate, true}, {contract.NetworkPublic, false}} {
		to := Destination{Endpoint: server.URL, Network: step.network, Credentials: bearer.Credentials}
		before := arrivals.Load()
		o := client.Send(t.Context(), Issue(), to, get())
		if answered := o.Err == nil; answered != step.answers || o.Sent != step.answers || (arrivals.Load() > before) != step.answers {
			t.Errorf("in %q the outcome is %+v after %d arrivals", step.network, o, arrivals.Load())
		}
		const says = "the CRM's host is not called: 127.0.0.1 is an address of the dispatcher's own machine, to which the CRM object does not allow connections: set spec.network"
		if o.Err != nil && !strings.HasPrefix(o.Err.Error(), says) {
			t.Errorf("the error is %q", o.Err)
		}
	}
}

// TestTokenEndpointsAreGuardedLikewise: a Secret goes to no address that the CRM object does not allow, and the next try after an edit succeeds at once.
func TestTokenEndpointsAreGuardedLikewise(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token": "t", "token_type": "Bearer", "expires_in": 600}`))
	}))
	t.Cleanup(server.Close)
	client := guarded(t, nil)
	to := Destination{Endpoint: "https://acme.crm.test", Credentials: contract.Credentials{OAuthClient: &contract.OAuthClientKeys{
		TokenURL: server.URL + "/token", ClientID: "id", ClientSecret: "secret",
	}}}
	const says = "the request cannot be signed: no access token: the token endpoint is not asked: 127.0.0.1 is an address of the dispatcher's own machine"
	if _, err := client.options.Credentials.sign(t.Context(), to); err == nil || !strings.HasPrefix(err.Error(), says) || asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	to.Network = contract.NetworkPrivate
	signed, err := client.options.Credentials.sign(t.Context(), to)
	if err != nil || signed.header.Get("Authorization") != "Bearer t" {
		t.Fatal(err)
	}
	signed.answered(http.StatusOK)
}

// TestHTTP2IsNotSpoken with a CRM or a token endpoint that offers it and with which Go would speak it: an HTTP/2 stack sends requests again by itself.
func TestHTTP2IsNotSpoken(t *testing.T) {
	spoken := make(chan string, 4)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		spoken <- r.URL.Path + " by " + r.Proto + " and " + r.TLS.NegotiatedProtocol
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token": "t", "token_type": "Bearer"}`))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	expect := func(want string) {
		t.Helper()
		if got := <-spoken; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	answer, err := server.Client().Get(server.URL + "/peer")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	expect("/peer by HTTP/2.0 and h2")

	trust := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.NextProtos = nil // else the server's own client has put h2 there
	client := guarded(t, trust)
	to := Destination{Endpoint: server.URL, Network: contract.NetworkPrivate, Credentials: contract.Credentials{OAuthClient: &contract.OAuthClientKeys{
		TokenURL: server.URL + "/token", ClientID: "id", ClientSecret: "secret",
	}}}
	for i, what := range []string{http.MethodGet, http.MethodPost} { // each goes over connections of its own
		call := requests()[what]
		if o := client.Send(t.Context(), Issue(), to, call); o.Err != nil {
			t.Fatal(o.Err)
		}
		if i == 0 {
			expect("/token by HTTP/1.1 and ")
		}
		path, _, _ := strings.Cut(call.Target, "?")
		expect(path + " by HTTP/1.1 and ")
	}
}
