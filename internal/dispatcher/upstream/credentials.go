// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

// Errors of the CRM's credentials. Nothing was sent.
var (
	ErrCredentialsMissing = errors.New("the credentials Secret lacks")
	ErrHostNotAllowed     = errors.New("the credentials Secret does not list this host under " + contract.HostsKey)
)

// Credentials reads credentials from a mounted Secret, again and again: the kubelet replaces the files while we run.
type Credentials struct {
	// Files is the mounted Secret, one file for each key.
	Files fs.FS
	// Recent, if set, spares reading the files for every request.
	Recent *Recent
	// Tokens gets access tokens; it may be nil where no kind of credentials needs one.
	Tokens *oauth.Tokens
	// Own, of the CRM's credentials, has those of integrations; it may be nil where no plan names any.
	Own *Own
}

// of returns whichever are meant: these, or an integration's own.
func (c Credentials) of(kind contract.Credentials) Credentials {
	if kind.Own {
		return c.Own.of(kind)
	}
	return c
}

// Check says whether a request could be signed now. It has an access token asked for if that is due, and does not wait for it.
func (c Credentials) Check(to Destination) contract.CredentialsReport {
	c = c.of(to.Credentials)
	keys, err := c.keys(to.Credentials, to.Endpoint)
	if err == nil && to.Credentials.TokenURL() != "" {
		if err = c.Tokens.Check(grantOf(to, keys)); err != nil {
			return tokenReport(err)
		}
	}
	report := contract.CredentialsReport{Resolved: err == nil, HostNotAllowed: errors.Is(err, ErrHostNotAllowed)}
	if err != nil {
		report.Message = err.Error()
	}
	return report
}

// signature is what signs one request.
type signature struct {
	header http.Header
	// answered must be called with the status of the CRM's answer, or 0 if there is none.
	answered func(status int)
}

// sign returns the signature of a request; it waits for an access token that is on its way. Its errors hold no secret.
func (c Credentials) sign(ctx context.Context, to Destination) (*signature, error) {
	kind := to.Credentials
	c = c.of(kind)
	keys, err := c.keys(kind, to.Endpoint)
	if err != nil {
		return nil, err
	}
	if kind.TokenURL() != "" {
		return c.signWithToken(ctx, kind, grantOf(to, keys))
	}
	header, err := staticHeader(kind, keys)
	return &signature{header: header, answered: func(int) {}}, err
}

// keys returns what the Secret holds of the kind, if it may be sent to where it would go.
func (c Credentials) keys(kind contract.Credentials, endpoint string) (map[string]string, error) {
	wanted := append(kindKeys(kind), contract.HostsKey)
	keys, err := c.recent(wanted)
	if err != nil {
		return nil, err
	}
	if err := checkHost(keys, endpoint); err != nil {
		return nil, err
	}
	for _, key := range kindKeys(kind) {
		if _, found := keys[key]; !found {
			return nil, fmt.Errorf("%w the key %q", ErrCredentialsMissing, key)
		}
	}
	if kind.TokenURL() != "" {
		err = checkToken(kind, keys, endpoint)
	}
	return keys, err
}

func staticHeader(kind contract.Credentials, keys map[string]string) (http.Header, error) {
	signed := http.Header{}
	switch {
	case kind.Basic != nil:
		pair := keys[kind.Basic.Username] + ":" + keys[kind.Basic.Password]
		signed.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case kind.Bearer != nil:
		signed.Set("Authorization", kind.Authorization(keys[kind.Bearer.Token]))
	case kind.Header != nil:
		signed.Set(kind.Header.Header, keys[kind.Header.Value])
	default:
		return nil, errors.New("the plan names no kind of credentials")
	}
	return signed, nil
}

func kindKeys(kind contract.Credentials) []string {
	switch {
	case kind.Basic != nil:
		return []string{kind.Basic.Username, kind.Basic.Password}
	case kind.Bearer != nil:
		return []string{kind.Bearer.Token}
	case kind.Header != nil:
		return []string{kind.Header.Value}
	case kind.OAuthClient != nil:
		return []string{kind.OAuthClient.ClientID, kind.OAuthClient.ClientSecret}
	case kind.OAuthRefresh != nil:
		return []string{kind.OAuthRefresh.ClientID, kind.OAuthRefresh.ClientSecret, kind.OAuthRefresh.RefreshToken}
	case kind.OAuthJWT != nil:
		return []string{kind.OAuthJWT.ClientID, kind.OAuthJWT.PrivateKey, kind.OAuthJWT.Subject}
	default:
		return nil
	}
}

func (c Credentials) recent(keys []string) (map[string]string, error) {
	if c.Recent == nil {
		return c.read(keys)
	}
	return c.Recent.read(time.Now(), keys, c.read)
}

// read returns the keys that are there. It reads until two readings agree, so that a key of the old Secret is never sent with one of the new.
func (c Credentials) read(keys []string) (map[string]string, error) {
	last, err := c.readOnce(keys)
	for range 3 {
		if err != nil {
			return nil, err
		}
		var again map[string]string
		if again, err = c.readOnce(keys); maps.Equal(last, again) {
			return again, err
		}
		last = again
	}
	return nil, errors.New("the credentials keep changing while they are read")
}

func (c Credentials) readOnce(keys []string) (map[string]string, error) {
	values := make(map[string]string, len(keys))
	for _, key := range keys {
		value, err := fs.ReadFile(c.Files, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the key %q of the credentials Secret: %w", key, err)
		}
		values[key] = strings.TrimRight(string(value), "\r\n")
	}
	return values, nil
}

// checkHost keeps whoever may name an endpoint, but may not read the Secret, from having it sent elsewhere. A Secret without a list may be sent anywhere.
func checkHost(keys map[string]string, endpoint string) error {
	list, found := keys[contract.HostsKey]
	if !found {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return errors.New("the plan's endpoint is not a URL")
	}
	allowed := slices.ContainsFunc(strings.Fields(list), func(host string) bool {
		return strings.EqualFold(host, u.Host) || strings.EqualFold(host, u.Hostname())
	})
	if !allowed {
		return ErrHostNotAllowed
	}
	return nil
}
