// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/jwt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// AskTime bounds one request for a token, the connection included.
	AskTime = 10 * time.Second
	// assertionLife is how long an assertion is good for.
	assertionLife = 2 * time.Minute
	// maxHeaderBytes bounds the header of an answer.
	maxHeaderBytes = 64 << 10
)

// httpClient sends each request once: a refresh token that may be used once must not go out twice, and secrets must not follow a redirect. So each request has
// a connection of its own, on which Go's transport does not repeat anything.
func httpClient(o Options, in contract.Network) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			DialContext: o.Dialer(in), TLSClientConfig: o.TLS, Protocols: protocols, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaderBytes,
		},
		Timeout:       AskTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends one request for a token by the HTTP client in ctx. With RefreshToken it uses refresh in place of the grant's.
func ask(ctx context.Context, g *Grant, refresh string) (*oauth2.Token, error) {
	var source oauth2.TokenSource
	switch g.Kind {
	case ClientCredentials:
		c := clientcredentials.Config{
			ClientID: g.ClientID, ClientSecret: g.ClientSecret, TokenURL: g.TokenURL, Scopes: g.Scopes, AuthStyle: oauth2.AuthStyleInParams,
		}
		source = c.TokenSource(ctx)
	case RefreshToken:
		c := oauth2.Config{
			ClientID: g.ClientID, ClientSecret: g.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: g.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
		}
		source = c.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh})
	case JWTBearer:
		if !isRSAKey(g.PrivateKey) {
			return nil, ErrBadKey
		}
		c := jwt.Config{
			Email: g.ClientID, Subject: g.Subject, Audience: g.Audience, PrivateKey: []byte(g.PrivateKey), Scopes: g.Scopes, TokenURL: g.TokenURL,
			Expires: assertionLife,
		}
		source = c.TokenSource(ctx)
	default:
		return nil, errors.New("there is no such grant")
	}
	token, err := source.Token()
	if err != nil {
		return nil, explain(err, g.Kind)
	}
	if !strings.EqualFold(token.Type(), "Bearer") || !sendable(token.AccessToken) {
		return nil, &Unavailable{detail: "gives a token that is not a Bearer token"}
	}
	return token, nil
}

// sendable says whether a token can stand in a header.
func sendable(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func isRSAKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return true
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, isRSA := key.(*rsa.PrivateKey)
	return err == nil && isRSA
}
