// SPDX-License-Identifier: Apache-2.0

// Package dialect holds the words that every provider's adapter speaks: operations, what repeating a call does, refusals, links. It is pure.
package dialect

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Operation is a call that manifests can name.
type Operation struct {
	// Name, for example CreateTicket. It is part of the API and never changes its meaning.
	Name string
	// Safe operations only read. They are never queued: their callers need the answer.
	Safe bool
	// Method and Path of one of its calls, for which any will do: adapters say by these what they know of all of them. Path is in canonical form.
	Method, Path string
}

// Class is what an adapter knows of one call.
type Class struct {
	// Operation is its name; empty if it has none.
	Operation string
	// Idempotent: sending it again has no further effect.
	Idempotent bool
	// Key is set if the CRM recognises an idempotency key on this call.
	Key *Key
}

// Key is how a CRM recognises a call that was sent before.
type Key struct {
	// Header carries the key, of at most MaxLength bytes.
	Header    string
	MaxLength int
	// ValidFor is how long after the first sending the CRM still knows the key.
	ValidFor time.Duration
}

// Link is the path of a JSON member that holds a navigation link: member names from the root, where Each stands for every element of an array.
type Link []string

// Each stands for every element of an array in a Link.
const Each = "*"

// Refusal is a quota refusal by the dispatcher, to be put into the CRM's words.
type Refusal struct {
	Reason contract.Reason
	// Limit is the name of the binding limit; may be empty.
	Limit string
	// RetryAfter is when a call would fit at the earliest; 0 if that cannot be foreseen.
	RetryAfter time.Duration
	// Detail says in words what is wrong.
	Detail string
}

// Share is what one limit leaves to an integration.
type Share struct {
	// Most is what its share allows in all, Left what it could take now.
	Most, Left int64
	// Renews is how long it takes from Now until there is more.
	Renews time.Duration
	Now    time.Time
}

// Response is an answer made by the dispatcher.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// SafeMethod reports whether calls with this method only read, as RFC 9110 9.2.1 defines it.
func SafeMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// IdempotentMethod reports whether repeating a call with this method has no further effect, as RFC 9110 9.2.2 defines it. A CRM may keep to it or not.
func IdempotentMethod(method string) bool {
	return SafeMethod(method) || method == http.MethodPut || method == http.MethodDelete
}
