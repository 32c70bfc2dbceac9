// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

// ErrNoToken says that there is no access token to sign the request with. Nothing was sent.
var ErrNoToken = errors.New("the request cannot be signed")

// keepEvery is how often Keep looks at the Secret and at the age of the token.
const keepEvery = 15 * time.Second

// Keep has access tokens at hand whether calls come or not, until ctx ends: what is wrong with the credentials shows before somebody needs them. plan returns
// the plan in force and a channel that is closed when it changes.
func (c Credentials) Keep(ctx context.Context, plan func() (*contract.Plan, <-chan struct{})) {
	for {
		p, changed := plan()
		var again <-chan time.Time // nothing is due without tokens
		if p != nil {
			for _, kind := range p.AllCredentials() {
				if kind.TokenURL() != "" {
					c.Check(To(p, kind))
					again = time.After(keepEvery)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again:
		}
	}
}

// signWithToken waits for a token of the grant.
func (c Credentials) signWithToken(ctx context.Context, kind contract.Credentials, g oauth.Grant) (*signature, error) {
	token, done, err := c.Tokens.Use(ctx, g)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoToken, err)
	}
	header := http.Header{}
	header.Set("Authorization", kind.Authorization(token.Value()))
	return &signature{header: header, answered: func(status int) {
		done()
		if status == http.StatusUnauthorized {
			c.Tokens.Refused(token)
		}
	}}, nil
}

// checkToken holds keys of a kind with tokens against what the others need not: the token endpoint's host is listed, too, and nothing is empty.
func checkToken(kind contract.Credentials, keys map[string]string, endpoint string) error {
	if err := checkTokenHost(kind, keys, endpoint); err != nil {
		return fmt.Errorf("token URL: %w", err)
	}
	for _, key := range kindKeys(kind) {
		if keys[key] == "" {
			return fmt.Errorf("%w a value under the key %q", ErrCredentialsMissing, key)
		}
	}
	return nil
}

// checkTokenHost holds the token endpoint's host against the list. Whoever declares an integration names its Secret and its token endpoint, perhaps without being
// allowed to read the former: without a list, its own credentials go to the CRM's host only.
func checkTokenHost(kind contract.Credentials, keys map[string]string, endpoint string) error {
	if _, listed := keys[contract.HostsKey]; listed || !kind.Own {
		return checkHost(keys, kind.TokenURL())
	}
	from, errFrom := url.Parse(endpoint)
	to, errTo := url.Parse(kind.TokenURL())
	if errFrom != nil || errTo != nil || !strings.EqualFold(from.Host, to.Host) {
		return ErrHostNotAllowed
	}
	return nil
}

// grantOf makes the grant of credentials with tokens out of the Secret's keys.
func grantOf(to Destination, keys map[string]string) oauth.Grant {
	switch kind := to.Credentials; {
	case kind.OAuthClient != nil:
		k := kind.OAuthClient
		return oauth.Grant{
			Kind: oauth.ClientCredentials, TokenURL: k.TokenURL, Network: to.Network, ClientID: keys[k.ClientID], ClientSecret: keys[k.ClientSecret], Scopes: k.Scopes,
		}
	case kind.OAuthRefresh != nil:
		k := kind.OAuthRefresh
		return oauth.Grant{
			Kind: oauth.RefreshToken, TokenURL: k.TokenURL, Network: to.Network, ClientID: keys[k.ClientID], ClientSecret: keys[k.ClientSecret],
			RefreshToken: keys[k.RefreshToken], Name: kind.Secret + "/" + k.RefreshToken,
		}
	default:
		k := kind.OAuthJWT
		return oauth.Grant{
			Kind: oauth.JWTBearer, TokenURL: k.TokenURL, Network: to.Network, ClientID: keys[k.ClientID], PrivateKey: keys[k.PrivateKey], Subject: keys[k.Subject],
			Audience: k.Audience, Scopes: k.Scopes,
		}
	}
}

// tokenReport says why there is no token.
func tokenReport(err error) contract.CredentialsReport {
	report := contract.CredentialsReport{Token: contract.TokenUnavailable, Message: err.Error()}
	refusal, refused := errors.AsType[*oauth.Refusal](err)
	switch {
	case oauth.IsPending(err):
		report.Token = contract.TokenPending
	case errors.Is(err, oauth.ErrBadKey):
		report.Token = "" // the Secret is to blame
	case refused && refusal.Reauthorize:
		report.Token = contract.TokenReauthorize
	case refused:
		report.Token = contract.TokenRefused
	}
	return report
}
