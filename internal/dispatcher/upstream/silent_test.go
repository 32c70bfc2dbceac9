// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// echoes are token endpoints that say what they were sent wherever they can.
func echoes() map[string]func(http.ResponseWriter, url.Values) {
	status := func(rw http.ResponseWriter, status int, contentType, body string) {
		rw.Header().Set("Content-Type", contentType)
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body) // the client may have gone
	}
	all := func(form url.Values) string { return form.Get("client_secret") + form.Get("refresh_token") }
	return map[string]func(http.ResponseWriter, url.Values){
		"as the error's code": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusBadRequest, "application/json", fmt.Sprintf(`{"error":%q}`, all(form)))
		},
		"as the error's description": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusUnauthorized, "application/json", fmt.Sprintf(`{"error":"invalid_client","error_description":%q,"error_uri":%[1]q}`, all(form)))
		},
		"as text": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusForbidden, "text/html", all(form))
		},
		"with a server's fault": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusBadGateway, "text/plain", all(form))
		},
		"with success, as a form": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusOK, "text/plain", "error="+all(form)+"&access_token="+all(form)+";%zz")
		},
		"as a type of token": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusOK, "application/json", fmt.Sprintf(`{"access_token":"a","token_type":%q}`, all(form)))
		},
		"as a token with a line's end": func(rw http.ResponseWriter, form url.Values) {
			status(rw, http.StatusOK, "application/json", fmt.Sprintf(`{"access_token":%q,"token_type":"bearer"}`, all(form)+"\r\nX: y"))
		},
		"in a broken header": func(rw http.ResponseWriter, form url.Values) {
			conn, buffer, err := http.NewResponseController(rw).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = buffer.WriteString(all(form) + "\r\n\r\n") // pipes
			_ = buffer.Flush()
			_ = conn.Close()
		},
		"in a redirect elsewhere": func(rw http.ResponseWriter, form url.Values) {
			rw.Header().Set("Location", "http://elsewhere.test/?"+all(form))
			rw.WriteHeader(http.StatusTemporaryRedirect)
		},
	}
}

// TestNothingSecretIsSaid: whatever a token endpoint answers, no error, report or log repeats it, and nothing goes to another host.
func TestNothingSecretIsSaid(t *testing.T) {
	for name, echo := range echoes() {
		t.Run(name, func(t *testing.T) {
			withTokens(t, simulated(), func(w *tokenWorld) {
				var mu sync.Mutex
				var hosts []string
				network := serveHTTP(w.T, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if err := r.ParseForm(); err != nil {
						t.Error(err)
					}
					echo(rw, r.PostForm)
				}))
				w.dialed = func(ctx context.Context, name, address string) (net.Conn, error) {
					mu.Lock()
					defer mu.Unlock()
					hosts = append(hosts, address)
					return network(ctx, name, address)
				}
				w.loseVolatile()
				_, err := w.send(byRefresh)
				if err == nil {
					t.Fatal("the call was signed")
				}
				report := w.check(byRefresh)
				if report.Token == "" || report.Resolved {
					t.Errorf("the report is %+v", report)
				}
				silent(t, fmt.Sprintf("%v %+v %s", err, report, w.said))
				if diff := cmp.Diff([]string{"acme.crm.test:80"}, hosts); diff != "" {
					t.Errorf("hosts that were dialled (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSecretsDoNotPrint, however they are printed.
func TestSecretsDoNotPrint(t *testing.T) {
	withTokens(t, simulated(), func(w *tokenWorld) {
		keys := map[string]string{"id": "client", "secret": clientSecret, "refresh": seed, "key": pemOf(clientKey()), "subject": "me@acme.test"}
		for _, kind := range kinds() {
			g := grantOf(Destination{Credentials: kind}, keys)
			token, done, err := w.tokens.Use(w.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("%v %+v %#v %v", g, g, g, g.LogValue())
			silent(t, text)
			if printed := fmt.Sprintf("%v %+v %s", token, token, token); strings.Contains(printed, token.Value()) {
				t.Errorf("an access token prints as %q", printed)
			}
			done()
		}
	})
}

// TestSecretNamesItsHosts: the token endpoint's as well as the CRM's, and neither gets anything else.
func TestSecretNamesItsHosts(t *testing.T) {
	elsewhere := contract.Credentials{OAuthJWT: new(*byJWT.OAuthJWT)}
	elsewhere.OAuthJWT.TokenURL = "http://evil.test/oauth/tokens"
	notListed := contract.CredentialsReport{HostNotAllowed: true, Message: "token URL: the credentials Secret does not list this host under hosts"}
	for name, c := range map[string]struct {
		hosts, endpoint string
		kind            contract.Credentials
		want            contract.CredentialsReport
	}{
		"both are listed":              {"acme.crm.test\nlogin.crm.test\n", "http://acme.crm.test", byJWT, contract.CredentialsReport{Resolved: true}},
		"the token endpoint's is not":  {"acme.crm.test\n", "http://acme.crm.test", byJWT, notListed},
		"it was moved to another host": {"acme.crm.test\nlogin.crm.test\n", "http://acme.crm.test", elsewhere, notListed},
		"the CRM was moved": {"acme.crm.test\nlogin.crm.test\n", "http://evil.test", byJWT, contract.CredentialsReport{
			HostNotAllowed: true, Message: "the credentials Secret does not list this host under hosts",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			withTokens(t, simulated(), func(w *tokenWorld) {
				w.files.set("hosts", c.hosts)
				to := Destination{Endpoint: c.endpoint, Credentials: c.kind}
				signed, err := w.credentials.sign(w.Context(), to)
				if (err == nil) != c.want.Resolved {
					t.Errorf("sign: %v", err)
				}
				if err == nil {
					signed.answered(0)
				} else if dials := w.dials.Load(); dials != 0 {
					t.Errorf("%d connections were made", dials)
				}
				if diff := cmp.Diff(c.want, w.credentials.Check(to)); diff != "" {
					t.Errorf("Check (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestUnusableSecret: what is wrong is said without asking anybody.
func TestUnusableSecret(t *testing.T) {
	const noKey = "the private key in the credentials Secret is not an RSA key in PEM form, without a passphrase"
	for name, c := range map[string]struct {
		kind        contract.Credentials
		key, value  string
		wantMessage string
	}{
		"an empty value":          {byClient, "secret", "\n", `the credentials Secret lacks a value under the key "secret"`},
		"a key that is no key":    {byJWT, "key", "-----BEGIN", noKey},
		"a certificate as a key":  {byJWT, "key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", noKey},
		"no refresh token at all": {byRefresh, "", "", `the credentials Secret lacks the key "refresh"`},
	} {
		t.Run(name, func(t *testing.T) {
			withTokens(t, simulated(), func(w *tokenWorld) {
				if c.key == "" {
					w.files.mu.Lock()
					w.files.files = fstest.MapFS{"id": file("client"), "secret": file(clientSecret)}
					w.files.mu.Unlock()
				} else {
					w.files.set(c.key, c.value)
				}
				if _, err := w.send(c.kind); err == nil {
					t.Error("the call was signed")
				}
				if diff := cmp.Diff(contract.CredentialsReport{Message: c.wantMessage}, w.check(c.kind)); diff != "" {
					t.Errorf("the report (-want +got):\n%s", diff)
				}
				if dials := w.dials.Load(); dials != 0 {
					t.Errorf("%d connections were made", dials)
				}
			})
		})
	}
}
