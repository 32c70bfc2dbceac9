// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
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
	// credential, if set, is the client's own of the CRM.
	credential *call.Credential
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
	// byCRM tells those who bring a credential of the CRM.
	byCRM    map[keyPrefix][]keyHolder
	verifier *token.Verifier
	audience string
	places   places
}

func newClients(plan *contract.Plan, where places) (*clients, error) {
	verifier, err := token.NewVerifier(plan.TokenIssuers)
	if err != nil {
		return nil, err
	}
	c := &clients{
		byKey: map[keyPrefix][]keyHolder{}, byCRM: map[keyPrefix][]keyHolder{}, bySubject: map[string]caller{}, verifier: verifier,
		audience: contract.ClientAudience(plan.CRM.Namespace, plan.CRM.Name), places: where,
	}
	for i := range plan.Integrations {
		integration := &plan.Integrations[i]
		for _, client := range integration.Clients {
			who := caller{integration: integration, client: client.Name}
			if client.ServiceAccount != "" {
				c.bySubject[client.ServiceAccount] = who
			}
			if err := errors.Join(add(c.byKey, who, client.APIKeySHA256), add(c.byCRM, who, client.CRMCredentialSHA256)); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// add adds the holder of secrets with these hashes.
func add(to map[keyPrefix][]keyHolder, who caller, hashes []string) error {
	for _, text := range hashes {
		var hash [sha256.Size]byte
		if n, err := hex.Decode(hash[:], []byte(text)); err != nil || n != len(hash) {
			return fmt.Errorf("client %s of %s: a hash is not SHA-256 in hexadecimal digits", who.client, who.integration.Key())
		}
		prefix := keyPrefix(hash[:len(keyPrefix{})])
		to[prefix] = append(to[prefix], keyHolder{who, hash})
	}
	return nil
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
	if len(c.byCRM) == 0 {
		return caller{}, refusal
	}
	for _, credential := range c.places.credentials(header) {
		if who, known := holder(c.byCRM, credential.secret); known {
			who.credential = call.NewCredential(credential.header, header.Get(credential.header))
			return who, nil
		}
	}
	return caller{}, refusal
}

// recognise returns whose key or token a secret is.
func (c *clients) recognise(now time.Time, secret string) (caller, error) {
	refuse := func(detail string) (caller, error) {
		return caller{}, &call.Refusal{Code: contract.ReasonUnauthenticated, Detail: detail}
	}
	if who, known := holder(c.byKey, secret); known {
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

// holder finds whose secret it is.
func holder(of map[keyPrefix][]keyHolder, secret string) (caller, bool) {
	hash := sha256.Sum256([]byte(secret))
	for _, candidate := range of[keyPrefix(hash[:len(keyPrefix{})])] {
		if subtle.ConstantTimeCompare(candidate.hash[:], hash[:]) == 1 {
			return candidate.caller, true
		}
	}
	return caller{}, false
}
