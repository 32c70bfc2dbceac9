// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// credentialName identifies a caller in the record without its secret: the e-mail address of a basic credential, a digest of a token.
func credentialName(r *http.Request) string {
	if user, _, found := r.BasicAuth(); found {
		return strings.TrimSuffix(user, "/token")
	}
	if token, found := bearer(r); found {
		sum := sha256.Sum256([]byte(token))
		return "bearer:" + hex.EncodeToString(sum[:4])
	}
	return "anonymous"
}

// authenticated reports whether the caller has one of the tokens, or none is asked for.
func (s *Server) authenticated(r *http.Request) bool {
	if len(s.config.Tokens) == 0 {
		return true
	}
	if user, secret, found := r.BasicAuth(); found {
		return strings.HasSuffix(user, "/token") && slices.Contains(s.config.Tokens, secret)
	}
	token, found := bearer(r)
	return found && slices.Contains(s.config.Tokens, token)
}

func bearer(r *http.Request) (token string, found bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, found && strings.EqualFold(scheme, "Bearer")
}
