// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// maxAssertionLife is how far ahead an assertion may end.
const maxAssertionLife = 5 * time.Minute

// verify checks an assertion as RFC 7523 3 asks for, signed by RS256.
func (o *OAuth) verify(assertion string, now time.Time) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return errors.New("an assertion has three parts")
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err := errors.Join(err, decodePart(parts[0], &header), decodePart(parts[1], &claims)); err != nil {
		return err
	}
	if header.Algorithm != "RS256" {
		return errors.New("the algorithm is not RS256")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(o.AssertionKey, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	if claims.Issuer != o.ClientID || claims.Subject != o.Subject || claims.Audience != o.Audience {
		return errors.New("issuer, subject or audience is another's")
	}
	if ends := time.Unix(claims.Expires, 0); !now.Before(ends) || ends.Sub(now) > maxAssertionLife {
		return errors.New("the assertion has ended, or lives too long")
	}
	return nil
}

func decodePart(part string, into any) error {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(decoded, into)
}
