// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/token"
)

// caller is who a request speaks for.
type caller struct {
	integration *contract.Integration
	client      string
}

// keyHolder is who an API key belongs to.
type keyHolder struct {
	caller
	hash [sha256.Size]byte
}

// keyPrefix is the part of a key's hash that is looked up; the rest is compared in constant time.
type keyPrefix [8]byte

// clients tells callers by what they present.
type clients struct {
	byKey     map[keyPrefix][]keyHolder
	bySubject map[string]caller
	verifier  *token.Verifier
	audience  string
	places    places
}

func newClients(plan *contract.Plan, where places) (*clients, error) {
	verifier, err := token.NewVerifier(plan.TokenIssuers)
	if err != nil {
		return nil, err
	}
	c := &clients{
		byKey: map[keyPrefix][]keyHolder{}, bySubject: map[string]caller{}, verifier: verifier,
		audience: contract.ClientAudience(plan.CRM.Namespace, plan.CRM.Name), places: where,
	}
	for i := range plan.Integrations {
		integration := &plan.Integrations[i]
		for _, client := range integration.Clients {
			who := caller{integration, client.Name}
			if client.ServiceAccount != "" {
				c.bySubject[client.ServiceAccount] = who
			}
			for _, text := range client.APIKeySHA256 {
				var hash [sha256.Size]byte
				if n, err := hex.Decode(hash[:], []byte(text)); err != nil || n != len(hash) {
					return nil, fmt.Errorf("client %s of %s: a key's hash is not SHA-256 in hexadecimal digits", client.Name, integration.Key())
				}
				prefix := keyPrefix(hash[:len(keyPrefix{})])
				c.byKey[prefix] = append(c.byKey[prefix], keyHolder{who, hash})
			}
		}
	}
	return c, nil
}

// authenticate returns who presents a known key or a good token in one of the places where the CRM's own credentials would stand.
func (c *clients) authenticate(now time.Time, header http.Header) (caller, error) {
	var refusal error = &call.Refusal{Code: contract.ReasonUnauthenticated, Detail: "present an API key or a service account token of a client of this CRM"}
	for _, secret := range c.places.presented(header) {
		who, err := c.recognise(now, secret)
		if err == nil {
			return who, nil
		}
		refusal = err
	}
	return caller{}, refusal
}

// recognise returns whose key or token a secret is.
func (c *clients) recognise(now time.Time, secret string) (caller, error) {
	refuse := func(detail string) (caller, error) {
		return caller{}, &call.Refusal{Code: contract.ReasonUnauthenticated, Detail: detail}
	}
	if who, known := c.holder(secret); known {
		return who, nil
	}
	if !token.LooksLike(secret) {
		return refuse("the key that was presented is not one of a client of this CRM")
	}
	subject, err := c.verifier.Subject(now, secret, c.audience)
	if err != nil {
		return refuse(err.Error())
	}
	if who, known := c.bySubject[subject]; known {
		return who, nil
	}
	return refuse("the service account is not a client of this CRM")
}

// holder finds whose API key a secret is.
func (c *clients) holder(secret string) (caller, bool) {
	hash := sha256.Sum256([]byte(secret))
	for _, candidate := range c.byKey[keyPrefix(hash[:len(keyPrefix{})])] {
		if subtle.ConstantTimeCompare(candidate.hash[:], hash[:]) == 1 {
			return candidate.caller, true
		}
	}
	return caller{}, false
}
