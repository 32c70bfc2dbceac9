// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxScopes bounds the scopes of a request for a token.
const maxScopes = 20

var (
	secretKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
	secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	headerName = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9]*$`)
	scope      = regexp.MustCompile(`^[!#-\[\]-~]+$`)
)

// credentials checks that there is one kind, and its keys, in order of the kinds.
func (p *problems) credentials(c contract.Credentials, endpoint, field string) {
	kinds := 0
	p.require(c.Scheme == "" || headerName.MatchString(c.Scheme), field+".scheme", "%q is not a scheme", c.Scheme)
	keys := map[string]string{}
	if c.Basic != nil {
		kinds++
		keys["basic.username"], keys["basic.password"] = c.Basic.Username, c.Basic.Password
	}
	if c.Bearer != nil {
		kinds++
		keys["bearer.token"] = c.Bearer.Token
	}
	if c.Header != nil {
		kinds++
		keys["header.value"] = c.Header.Value
		p.require(headerName.MatchString(c.Header.Header), field+".header.header", "%q is not the name of a header", c.Header.Header)
	}
	if c.OAuthClient != nil {
		kinds++
		keys["oauthClient.clientID"], keys["oauthClient.clientSecret"] = c.OAuthClient.ClientID, c.OAuthClient.ClientSecret
		p.tokenRequest(endpoint, field+".oauthClient", c.OAuthClient.TokenURL, c.OAuthClient.Scopes)
	}
	if c.OAuthRefresh != nil {
		kinds++
		keys["oauthRefresh.clientID"], keys["oauthRefresh.clientSecret"] = c.OAuthRefresh.ClientID, c.OAuthRefresh.ClientSecret
		keys["oauthRefresh.refreshToken"] = c.OAuthRefresh.RefreshToken
		p.tokenRequest(endpoint, field+".oauthRefresh", c.OAuthRefresh.TokenURL, nil)
	}
	if c.OAuthJWT != nil {
		kinds++
		keys["oauthJWT.clientID"], keys["oauthJWT.privateKey"], keys["oauthJWT.subject"] = c.OAuthJWT.ClientID, c.OAuthJWT.PrivateKey, c.OAuthJWT.Subject
		p.tokenRequest(endpoint, field+".oauthJWT", c.OAuthJWT.TokenURL, c.OAuthJWT.Scopes)
	}
	p.require(kinds == 1, field, "exactly one of basic, bearer, header, oauthClient, oauthRefresh, oauthJWT must be set")
	for name, key := range keys {
		p.secretKey(field+"."+name, key)
	}
}

// ownCredentials checks those of an integration.
func (p *problems) ownCredentials(c *contract.Credentials, endpoint, field string) {
	if c == nil {
		return
	}
	p.credentials(*c, endpoint, field)
	p.require(c.Own && secretName.MatchString(c.Secret), field+".secret", "%q is not the name of a Secret of an integration's own", c.Secret)
}

// encryption checks the names of the wrapping keys.
func (p *problems) encryption(e *contract.Encryption) {
	if e == nil {
		return
	}
	p.secretKey("encryption.current", e.Current)
	p.secretKey("encryption.former", e.Former)
	p.require(e.Current != e.Former, "encryption", "current and former must differ")
}

func (p *problems) secretKey(field, key string) {
	p.require(secretKey.MatchString(key) && key != "." && key != "..", field, "%q is not a key of a Secret", key)
}

// tokenRequest checks where tokens come from, and what is asked for.
func (p *problems) tokenRequest(endpoint, field, tokenURL string, scopes []string) {
	u, err := url.Parse(tokenURL)
	isURL := err == nil && u.Host != "" && strings.HasPrefix(u.Path, "/") && *u == url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	p.require(isURL && (u.Scheme == "https" || u.Scheme == "http"), field+".tokenURL", "%q is not a URL of scheme http or https, host, port and path", tokenURL)
	p.require(!isURL || u.Scheme != "http" || strings.HasPrefix(endpoint, "http://"), field+".tokenURL", "%q is plain http and the endpoint is not", tokenURL)
	p.require(len(scopes) <= maxScopes, field+".scopes", "there are %d, more than %d", len(scopes), maxScopes)
	for _, s := range scopes {
		p.require(scope.MatchString(s), field+".scopes", "%q is not a scope", s)
	}
}
