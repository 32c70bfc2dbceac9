// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// places are where clients put their keys: where they would put the CRM's.
type places struct {
	dialect.Keys
	// headers in which API keys stand, in canonical form: the CRM's own, and the one that the credentials name.
	headers []string
}

func newPlaces(credentials []contract.Credentials, keys dialect.Keys) places {
	p := places{Keys: keys}
	if keys.Header != "" {
		p.headers = append(p.headers, keys.Header)
	}
	for _, c := range credentials {
		if c.Header == nil {
			continue
		}
		if name := http.CanonicalHeaderKey(c.Header.Header); !slices.Contains(p.headers, name) {
			p.headers = append(p.headers, name)
		}
	}
	return p
}

// presented are the secrets in a request: of a credential with the scheme Bearer or the CRM's own, the password of a Basic one whatever the user, the user where
// the CRM has its keys there, and in the headers of keys. A header that is there twice counts for nothing, since two readers may take it for two things.
func (p places) presented(header http.Header) []string {
	var secrets []string
	if values := header.Values("Authorization"); len(values) == 1 {
		scheme, credential, _ := strings.Cut(values[0], " ")
		if strings.EqualFold(scheme, "Bearer") || p.Scheme != "" && strings.EqualFold(scheme, p.Scheme) {
			secrets = append(secrets, strings.TrimSpace(credential))
		}
		if user, password, isBasic := (&http.Request{Header: header}).BasicAuth(); isBasic {
			secrets = append(secrets, password)
			if p.User {
				secrets = append(secrets, user)
			}
		}
	}
	for _, name := range p.headers {
		if values := header.Values(name); len(values) == 1 {
			secrets = append(secrets, values[0])
		}
	}
	return secrets
}

// credential is what a request presents to the CRM: the token of a scheme, "user:password" of a Basic one, or the value of a key header.
type credential struct{ header, secret string }

// credentials are those of a request. As with presented, a header that is there twice counts for nothing.
func (p places) credentials(header http.Header) []credential {
	var all []credential
	if values := header.Values("Authorization"); len(values) == 1 {
		_, secret, _ := strings.Cut(values[0], " ")
		if user, password, isBasic := (&http.Request{Header: header}).BasicAuth(); isBasic {
			secret = user + ":" + password
		}
		all = append(all, credential{"Authorization", strings.TrimSpace(secret)})
	}
	for _, name := range p.headers {
		if values := header.Values(name); len(values) == 1 {
			all = append(all, credential{name, values[0]})
		}
	}
	return all
}
