// SPDX-License-Identifier: Apache-2.0

package call

import (
	"log/slog"
	"net/http"
)

// Credential is a client's own credential of the CRM, in the header in which it came. It is held in memory only: what is stored of a call does not have it, nothing
// prints it, and it does not appear in its call's header.
type Credential struct {
	name  string
	value string
}

// NewCredential returns the credential that a client has presented as this header.
func NewCredential(name, value string) *Credential {
	return &Credential{http.CanonicalHeaderKey(name), value}
}

// Header is what signs a request with it.
func (c *Credential) Header() http.Header { return http.Header{c.name: {c.value}} }

// String keeps the credential out of whatever it is printed into.
func (c *Credential) String() string { return "a client's credential" }

// GoString implements fmt.GoStringer as String does.
func (c *Credential) GoString() string { return c.String() }

// LogValue implements slog.LogValuer as String does.
func (c *Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }
