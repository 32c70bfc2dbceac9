// SPDX-License-Identifier: Apache-2.0

// Package provider is the list of CRMs whose dialect is known. Both planes use it: the manager to check operation names, the dispatcher to speak.
package provider

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
)

// Provider adapts the dispatcher to one CRM. Its methods are pure and safe for concurrent use.
type Provider interface {
	// Name is the value of CRM.spec.provider.
	Name() string
	// Operations are what manifests can name, in order of name.
	Operations() []dialect.Operation
	// Classify names a call and says what repeating it does. path is decoded and has no query. A body that cannot be read makes the call one not to repeat.
	Classify(method, path string, body []byte) dialect.Class
	// Refused says whether an answer is a refusal for quota, and for how long the CRM asked to be left alone; wait is 0 if it did not say.
	Refused(status int, header http.Header, now time.Time) (wait time.Duration, refused bool)
	// Refusal is how a refusal by the dispatcher looks to the CRM's clients.
	Refusal(dialect.Refusal) dialect.Response
	// Links are the members of JSON answers that clients follow.
	Links() []dialect.Link
	// IdentityHeaders are request headers, in canonical form, that choose the user a call is made as. Clients of the dispatcher may not set them.
	IdentityHeaders() []string
}

var all = []Provider{generic.Generic{}, zendesk.Zendesk{}}

// ByName returns the provider that CRM.spec.provider names, and false if there is none.
func ByName(name string) (Provider, bool) {
	i := slices.IndexFunc(all, func(p Provider) bool { return p.Name() == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// Operation returns the operation of that name, and false if the provider knows none.
func Operation(p Provider, name string) (dialect.Operation, bool) {
	operations := p.Operations()
	i, found := slices.BinarySearchFunc(operations, name, func(o dialect.Operation, name string) int { return strings.Compare(o.Name, name) })
	if !found {
		return dialect.Operation{}, false
	}
	return operations[i], true
}
