// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// credentialName identifies a caller in the record without its secret: the e-mail address of a basic credential, the client of an access token that was issued,
// a digest of another token.
func (s *Server) credentialName(r *http.Request) string {
	user, secret, found := s.crm.Secret(r)
	if user != "" || !found {
		return cmp.Or(user, "anonymous")
	}
	if _, issued := s.issuer.ends[secret]; issued {
		return "oauth:" + s.config.OAuth.ClientID
	}
	sum := sha256.Sum256([]byte(secret))
	return "bearer:" + hex.EncodeToString(sum[:4])
}

// authenticated reports whether the caller has one of the tokens at now, or none is asked for.
func (s *Server) authenticated(r *http.Request, now time.Time) bool {
	if len(s.config.Tokens) == 0 && s.config.OAuth == nil {
		return true
	}
	user, secret, found := s.crm.Secret(r)
	return found && (slices.Contains(s.config.Tokens, secret) || user == "" && s.issuer.valid(secret, now))
}
