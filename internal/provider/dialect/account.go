// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"cmp"
	"strings"
)

// AccountIn is the account that is declared, else the host; in lower case and without the CRM's own domain at its end, so that both stand for one account. A host
// in another domain stays whole.
func AccountIn(domain, declared, host string) string {
	return strings.TrimSuffix(strings.ToLower(cmp.Or(declared, host)), domain)
}

// Keys say where a CRM's clients put their credentials, besides Bearer tokens and the passwords of Basic authentication.
type Keys struct {
	// Scheme of the Authorization header in place of Bearer; empty for Bearer alone.
	Scheme string
	// Header carries an API key, in canonical form; empty if there is none.
	Header string
	// User: the user name of Basic authentication is the key.
	User bool
}
