// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Errors of the CRM's credentials. Nothing was sent.
var (
	ErrCredentialsMissing = errors.New("the credentials Secret lacks")
	ErrHostNotAllowed     = errors.New("the credentials Secret does not list this host under " + contract.HostsKey)
)

// Credentials reads the CRM's credentials from the mounted Secret, anew for each request: the kubelet replaces the files while we run.
type Credentials struct {
	// Files is the mounted Secret, one file for each key.
	Files fs.FS
}

// Check says whether a request to endpoint could be signed now.
func (c Credentials) Check(kind contract.Credentials, endpoint string) contract.CredentialsReport {
	_, err := c.header(kind, endpoint)
	report := contract.CredentialsReport{Resolved: err == nil, HostNotAllowed: errors.Is(err, ErrHostNotAllowed)}
	if err != nil {
		report.Message = err.Error()
	}
	return report
}

// header returns the header that signs a request to endpoint. Its errors hold no secret.
func (c Credentials) header(kind contract.Credentials, endpoint string) (http.Header, error) {
	wanted := append(kindKeys(kind), contract.HostsKey)
	keys, err := c.read(wanted)
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
	signed := http.Header{}
	switch {
	case kind.Basic != nil:
		pair := keys[kind.Basic.Username] + ":" + keys[kind.Basic.Password]
		signed.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case kind.Bearer != nil:
		signed.Set("Authorization", "Bearer "+keys[kind.Bearer.Token])
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
	default:
		return nil
	}
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
