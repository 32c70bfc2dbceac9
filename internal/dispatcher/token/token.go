// SPDX-License-Identifier: Apache-2.0

// Package token verifies service account tokens against the issuers' public keys in the plan. No API server is asked, so a deleted account is noticed only when
// its token expires: an hour by default, a day at most.
package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// maxLifetime refuses tokens that would outlive their account for longer than a day, such as the ones once kept in Secrets.
	maxLifetime = 24 * time.Hour
	// leeway is how far the clocks of nodes may be apart.
	leeway = 30 * time.Second
)

// algorithms are those that API servers sign with. Symmetric ones would let whoever holds a public key sign.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// Verifier holds the public keys of issuers. It is never changed and safe for concurrent use.
type Verifier struct {
	keys map[string]jose.JSONWebKeySet
}

// NewVerifier reads the issuers' keys. The error names the issuer whose keys cannot be used.
func NewVerifier(issuers []contract.TokenIssuer) (*Verifier, error) {
	v := &Verifier{keys: make(map[string]jose.JSONWebKeySet, len(issuers))}
	for _, issuer := range issuers {
		if issuer.Issuer == "" {
			return nil, errors.New("a token issuer has no name")
		}
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(issuer.Keys, &set); err != nil {
			return nil, fmt.Errorf("keys of token issuer %q: %w", issuer.Issuer, err)
		}
		for _, key := range set.Keys {
			if !key.IsPublic() {
				return nil, fmt.Errorf("keys of token issuer %q: key %q is not a public key", issuer.Issuer, key.KeyID)
			}
		}
		known := v.keys[issuer.Issuer]
		known.Keys = append(known.Keys, set.Keys...)
		v.keys[issuer.Issuer] = known
	}
	return v, nil
}

// LooksLike reports whether a secret has the form of a signed token. API keys do not: they have no dots.
func LooksLike(secret string) bool { return strings.Count(secret, ".") == 2 }

// Subject returns whom a token speaks for, at the moment now, if it is meant for the audience. The error says which of the checks failed; it holds nothing secret.
func (v *Verifier) Subject(now time.Time, raw, audience string) (string, error) {
	parsed, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return "", errors.New("the token is not signed with RS256 or ES256")
	}
	claims, err := v.signedClaims(parsed)
	if err != nil {
		return "", err
	}
	if err := claims.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{audience}, Time: now}, leeway); err != nil {
		return "", describe(err, audience)
	}
	switch {
	case claims.Expiry == nil || claims.IssuedAt == nil:
		return "", errors.New("the token does not say when it was issued and when it expires")
	case claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > maxLifetime:
		return "", fmt.Errorf("the token is valid for longer than %v", maxLifetime)
	case claims.Subject == "":
		return "", errors.New("the token has no subject")
	}
	return claims.Subject, nil
}

// signedClaims returns the claims if one of the issuer's keys has signed them.
func (v *Verifier) signedClaims(parsed *jwt.JSONWebToken) (jwt.Claims, error) {
	var unverified jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return jwt.Claims{}, errors.New("the token's claims cannot be read")
	}
	set, known := v.keys[unverified.Issuer]
	if !known {
		return jwt.Claims{}, errors.New("the token's issuer is not known here")
	}
	candidates := set.Keys
	if id := parsed.Headers[0].KeyID; id != "" {
		candidates = set.Key(id)
	}
	for _, key := range candidates {
		var claims jwt.Claims
		if parsed.Claims(key, &claims) == nil {
			return claims, nil
		}
	}
	return jwt.Claims{}, errors.New("the token's signature does not fit the issuer's keys")
}

func describe(err error, audience string) error {
	switch {
	case errors.Is(err, jwt.ErrInvalidAudience):
		return fmt.Errorf("the token is not meant for the audience %q", audience)
	case errors.Is(err, jwt.ErrExpired):
		return errors.New("the token has expired")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return errors.New("the token is not valid yet")
	}
	return errors.New("the token's claims are not acceptable")
}
