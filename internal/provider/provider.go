// SPDX-License-Identifier: Apache-2.0

// Package provider is the list of CRMs whose dialect is known. Both planes use it: the manager to check operation names, the dispatcher to speak.
package provider

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/dynamics365"
	"github.com/crmquota/crm-quota-operator/internal/provider/freshdesk"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
	"github.com/crmquota/crm-quota-operator/internal/provider/hubspot"
	"github.com/crmquota/crm-quota-operator/internal/provider/intercom"
	"github.com/crmquota/crm-quota-operator/internal/provider/kustomer"
	"github.com/crmquota/crm-quota-operator/internal/provider/pipedrive"
	"github.com/crmquota/crm-quota-operator/internal/provider/salesforce"
	"github.com/crmquota/crm-quota-operator/internal/provider/servicenow"
	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
	"github.com/crmquota/crm-quota-operator/internal/provider/zoho"
)

// Provider adapts the dispatcher to one CRM. Its methods are pure and safe for concurrent use.
type Provider interface {
	// Name is the value of CRM.spec.provider.
	Name() string
	// Operations are what manifests can name, in order of name.
	Operations() []dialect.Operation
	// Classify names a call and says what repeating it does. path is decoded and has no query. A body that cannot be read makes the call one not to repeat.
	Classify(method, path string, body []byte) dialect.Class
	// Canonical is the one form of a decoded path under which the CRM knows what it names: patterns are held against it, and records are told apart by it.
	Canonical(path string) string
	// Jobs reads from an answer, with the method of its call, which background jobs have started by it, and which are said to have ended. Bodies that cannot be
	// read tell of none.
	Jobs(method string, status int, body []byte) (started, ended []string)
	// PollJobs asks of the first asked of these jobs whether they have ended, for Jobs to read; 0 if the CRM cannot be asked.
	PollJobs(jobs []string) (poll dialect.Request, asked int)
	// Batch is how calls of an operation become one bulk call, and false if they cannot.
	Batch(operation string) (dialect.Batch, bool)
	// Mixed is how calls of different operations become one bulk call, and false if they cannot.
	Mixed() (dialect.MixedBatch, bool)
	// Refused says whether an answer is a refusal for quota, what of, and for how long the CRM asked to be left alone.
	Refused(answer dialect.Answer, now time.Time) dialect.Verdict
	// Readings are what an answer's header says of the CRM's limits, at most one of each; now is when it came. Figures that cannot be read are left out.
	Readings(header http.Header, now time.Time) []dialect.Reading
	// Usage is how the CRM is asked what has been used of its limits, and false if it does not tell.
	Usage() (dialect.Usage, bool)
	// Refusal is how a refusal by the dispatcher looks to the CRM's clients.
	Refusal(dialect.Refusal) dialect.Response
	// ShowShare has the CRM's own headers about its limits, in a header that goes to a client, tell of the share in place of the licence.
	ShowShare(header http.Header, share dialect.Share)
	// Links are the members of JSON answers that clients follow.
	Links() []dialect.Link
	// IdentityHeaders are request headers, in canonical form, that choose the user a call is made as. Clients of the dispatcher may not set them.
	IdentityHeaders() []string
	// Keys say where the CRM's clients put their credentials.
	Keys() dialect.Keys
	// Account identifies the licence: by what is declared as account, which may be empty, or by the endpoint's host where that tells. It is in lower case, and
	// empty if neither tells.
	Account(declared, host string) string
	// TokenPath is the path of the token endpoint at the CRM's endpoint; empty if it is elsewhere.
	TokenPath() string
	// TokenFields are what an answer of the token endpoint has besides the token, for clients that reach the CRM at url, without a slash at the end; now is when
	// it is made.
	TokenFields(url string, now time.Time) map[string]string
}

var all = []Provider{
	zendesk.Zendesk{}, salesforce.Salesforce{}, hubspot.HubSpot{}, dynamics365.Dynamics365{}, servicenow.ServiceNow{},
	freshdesk.Freshdesk{}, zoho.ZohoCRM{}, pipedrive.Pipedrive{}, intercom.Intercom{}, kustomer.Kustomer{},
	generic.Generic{},
}

// All are the CRMs whose dialect is known, Generic last.
func All() []Provider { return slices.Clone(all) }

// ByName returns the provider that CRM.spec.provider names, and false if there is none.
func ByName(name string) (Provider, bool) {
	i := slices.IndexFunc(all, func(p Provider) bool { return p.Name() == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// Of returns the provider that a plan names, with what the plan tells of an API without an adapter; false if there is none.
func Of(plan *contract.Plan) (Provider, bool) { return With(plan.CRM.Provider, plan.Generic) }

// With returns the provider of that name, which for Generic is told of its API; false if there is none.
func With(name string, api *contract.Generic) (Provider, bool) {
	p, found := ByName(name)
	if api == nil || p != (generic.Generic{}) {
		return p, found
	}
	return generic.Declared{Rules: *api}, true
}

// Merges says whether calls of an operation can go together in bulk calls, with each other or with those of other operations. Those that rely on what is not
// documented whole only count with unconfirmed.
func Merges(p Provider, of dialect.Operation, unconfirmed bool) bool {
	batch, can := p.Batch(of.Name)
	if _, is := batch.(dialect.UnconfirmedBatch); can && (unconfirmed || !is) {
		return true
	}
	mixed, can := p.Mixed()
	return can && mixed.Takes(dialect.Request{Method: of.Method, Target: of.Path})
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
