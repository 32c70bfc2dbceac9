// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"net/http"
	"strings"
)

// Bearer reads a bearer token.
func Bearer(r *http.Request) (token string, found bool) { return Scheme(r, "Bearer") }

// Scheme reads what follows the name of a scheme in the header Authorization.
func Scheme(r *http.Request, name string) (token string, found bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, found && strings.EqualFold(scheme, name)
}
