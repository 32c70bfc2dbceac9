// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// credentialName identifies a caller in the record without its secret: the e-mail address of a basic credential, the client of an access token that was issued,
// a digest of another token.
func (s *Server) credentialName(r *http.Request) string {
	if user, _, found := r.BasicAuth(); found {
		return strings.TrimSuffix(user, "/token")
	}
	if token, found := bearer(r); found {
		if _, issued := s.issuer.ends[token]; issued {
			return "oauth:" + s.config.OAuth.ClientID
		}
		sum := sha256.Sum256([]byte(token))
		return "bearer:" + hex.EncodeToString(sum[:4])
	}
	return "anonymous"
}

// authenticated reports whether the caller has one of the tokens at now, or none is asked for.
func (s *Server) authenticated(r *http.Request, now time.Time) bool {
	if len(s.config.Tokens) == 0 && s.config.OAuth == nil {
		return true
	}
	if user, secret, found := r.BasicAuth(); found {
		return strings.HasSuffix(user, "/token") && slices.Contains(s.config.Tokens, secret)
	}
	token, found := bearer(r)
	return found && (slices.Contains(s.config.Tokens, token) || s.issuer.valid(token, now))
}

func bearer(r *http.Request) (token string, found bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, found && strings.EqualFold(scheme, "Bearer")
}
