// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// endpoint answers each request for a token with the same.
type endpoint struct {
	status      int
	contentType string
	body        []byte
}

// RoundTrip implements http.RoundTripper.
func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: http.StatusText(e.status), StatusCode: e.status, Request: r,
		Header: http.Header{"Content-Type": {e.contentType}, "Retry-After": {string(e.body)}}, Body: io.NopCloser(bytes.NewReader(e.body)),
	}, nil
}

// FuzzTokenAnswer: whatever a token endpoint answers, it is a token that can stand in a header and lives for a while, or an error with nothing of what the endpoint
// was sent, which it may echo.
func FuzzTokenAnswer(f *testing.F) {
	const secret, refresh = "s3cr3t-Of-Client", "r3fr3sh-T0ken"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for _, seed := range []struct {
		status      int
		contentType string
		body        string
	}{
		{200, "application/json", `{"access_token":"a","token_type":"bearer","expires_in":3600,"refresh_token":"next"}`},
		{200, "application/json", `{"access_token":"a","token_type":"bearer","expires_in":-1}`},
		{200, "application/json", `{"access_token":"a","token_type":"Bearer","expires_in":"9223372036854775807"}`},
		{200, "application/json", `{"access_token":"a","expires_in":1e309}`},
		{200, "application/json", `{"access_token":"a\r\nHost: elsewhere.test","token_type":"bearer"}`},
		{200, "application/json", `{"access_token":{"a":1},"id_token":"e30.e30.e30"}`},
		{200, "application/json", `{"access_token":"a","id_token":"e30.eyJleHAiOi05MjIzMzcyMDM2ODU0Nzc1ODA4fQ.e30"}`},
		{200, "application/x-www-form-urlencoded", "access_token=a&token_type=bearer&expires_in=99999999999999999999"},
		{200, "text/plain", "access_token=%zz"},
		{200, "text/html", "<html>"},
		{400, "application/json", `{"error":"invalid_grant","error_description":"` + refresh + `"}`},
		{400, "application/json", `{"error":"` + secret + `"}`},
		{429, "", "99999999999"},
		{302, "", ""},
		{500, "", secret},
	} {
		for kind := range uint8(3) {
			f.Add(kind, seed.status, seed.contentType, []byte(seed.body))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, status int, contentType string, body []byte) {
		g := Grant{
			Kind: []Kind{ClientCredentials, RefreshToken, JWTBearer}[kind%3], TokenURL: "https://crm.test/token",
			ClientID: "client", ClientSecret: secret, RefreshToken: refresh, PrivateKey: private,
		}
		client := &http.Client{Transport: endpoint{status, contentType, body}}
		withClient := context.WithValue(t.Context(), oauth2.HTTPClient, client)
		tokens := &Tokens{public: withClient}
		got, err := tokens.askFor(&g, refresh)
		if err != nil {
			text := err.Error()
			if got != nil || strings.Contains(text, secret) || strings.Contains(text, refresh) || len(text) > 200 {
				t.Errorf("%v besides %q", got, text)
			}
			wantPause(t, err)
			return
		}
		if !sendable(got.access) || got.life < 0 || got.life > 0 && got.life < leastLife {
			t.Errorf("the token is %q, for %s", got.access, got.life)
		}
	})
}

// wantPause checks that an endpoint cannot have itself left alone for too long.
func wantPause(t *testing.T, err error) {
	t.Helper()
	var pause time.Duration
	if refusal, is := errors.AsType[*Refusal](err); is {
		pause = refusal.pause
	} else if unavailable, is := errors.AsType[*Unavailable](err); is {
		pause = unavailable.pause
	} else {
		t.Errorf("the error is a %T", err)
	}
	if pause < 0 || pause > maxPause {
		t.Errorf("the endpoint is left alone for %s", pause)
	}
}
