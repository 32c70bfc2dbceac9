// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// grantAnswer is an answer of the token endpoint.
type grantAnswer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Life    int64  `json:"expires_in"`
	Error   string `json:"error"`
}

func app() *OAuth { return &OAuth{ClientID: "app", ClientSecret: "s", Life: time.Hour} }

// grant asks for a token; fields are name and value in turn.
func (w world) grant(fields ...string) grantAnswer {
	w.Helper()
	form := url.Values{"client_id": {"app"}, "client_secret": {"s"}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return parse[grantAnswer](w, w.do(http.MethodPost, "/oauth/tokens", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"))
}

// me is the status of a call with an access token.
func (w world) me(token string) int {
	w.Helper()
	return w.do(http.MethodGet, "/api/v2/users/me.json", "", "Authorization", "Bearer "+token).status
}

func TestAccessTokenLivesAsLongAsItSays(t *testing.T) {
	inBubble(t, Config{OAuth: app()}, func(w world) {
		got := w.grant("grant_type", "client_credentials")
		if got.Life != 3600 || got.Refresh != "" {
			t.Errorf("the endpoint answers %+v", got)
		}
		w.sleep(time.Hour - time.Second)
		if status := w.me(got.Access); status != http.StatusOK {
			t.Errorf("a second before its end: %d", status)
		}
		w.sleep(time.Second)
		if status := w.me(got.Access); status != http.StatusUnauthorized {
			t.Errorf("at its end: %d", status)
		}
		again := w.grant("grant_type", "client_credentials")
		w.sim.RevokeTokens()
		if status := w.me(again.Access); status != http.StatusUnauthorized {
			t.Errorf("revoked: %d", status)
		}
		r := w.sim.Report()
		if r.TokenRequests["issued"] != 2 || r.Arrivals != 3 || r.ByCredential["oauth:app"] != 2 {
			t.Errorf("the report has %v, %d arrivals, %v", r.TokenRequests, r.Arrivals, r.ByCredential)
		}
	})
}

func TestRotationEndsTheOldPair(t *testing.T) {
	client := app()
	client.RefreshToken, client.Rotate = "first", true
	inBubble(t, Config{OAuth: client}, func(w world) {
		one := w.grant("grant_type", "refresh_token", "refresh_token", "first")
		two := w.grant("grant_type", "refresh_token", "refresh_token", one.Refresh)
		if w.me(one.Access) != http.StatusUnauthorized || w.me(two.Access) != http.StatusOK {
			t.Error("the old pair lives, or the new one does not")
		}
		for _, dead := range []string{"first", one.Refresh, ""} {
			if got := w.grant("grant_type", "refresh_token", "refresh_token", dead); got.Error != "invalid_grant" {
				t.Errorf("refresh token %q: %+v", dead, got)
			}
		}
	})
}

func TestTokenEndpointRefuses(t *testing.T) {
	inBubble(t, Config{OAuth: app()}, func(w world) {
		for want, fields := range map[string][]string{
			"invalid_client":         {"grant_type", "client_credentials", "client_secret", "other"},
			"unsupported_grant_type": {"grant_type", "refresh_token"},
		} {
			if got := w.grant(fields...); got.Error != want || got.Access != "" {
				t.Errorf("%v: %+v, want %s", fields, got, want)
			}
		}
		if err := w.sim.SetOutages(Outage{Kind: Unavailable, Operation: tokenOperation}); err != nil {
			t.Fatal(err)
		}
		w.wantStatus(w.do(http.MethodPost, "/oauth/tokens", ""), http.StatusServiceUnavailable)
	})
}

func TestAssertionsAreVerified(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	client := app()
	client.AssertionKey, client.Subject, client.Audience = &key.PublicKey, "me@acme.test", "https://login.test"
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	good := map[string]any{"iss": "app", "sub": "me@acme.test", "aud": "https://login.test", "exp": now.Add(time.Minute).Unix()}
	with := func(claim string, value any) map[string]any {
		claims := map[string]any{claim: value}
		for name, value := range good {
			if name != claim {
				claims[name] = value
			}
		}
		return claims
	}
	for name, claims := range map[string]map[string]any{
		"another issuer":   with("iss", "other"),
		"another subject":  with("sub", "you@acme.test"),
		"another audience": with("aud", "https://elsewhere.test"),
		"one that ended":   with("exp", now.Unix()),
		"one for an hour":  with("exp", now.Add(time.Hour).Unix()),
	} {
		if client.verify(assertion(t, key, claims), now) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := client.verify(assertion(t, key, good), now); err != nil {
		t.Error(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if client.verify(assertion(t, other, good), now) == nil {
		t.Error("an assertion that another key has signed is taken")
	}
}

func assertion(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	encoded, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(encoded)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
