// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake/links"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// view is what follows from a plan for requests. It is never changed.
type view struct {
	plan     *contract.Plan
	provider provider.Provider
	links    links.Rewriter
	members  links.Members
	clients  *clients
	// private are request headers that are never forwarded: credentials, and those that choose a user.
	private []string
	// results is the absolute URL that result resources stand under.
	results string
}

func newView(plan *contract.Plan) (*view, error) {
	adapter, known := provider.Of(plan)
	if !known {
		return nil, fmt.Errorf("provider %q is not known", plan.CRM.Provider)
	}
	rewriter, err := links.NewRewriter(plan.Endpoint, plan.Intake.URL)
	if err != nil {
		return nil, err
	}
	where := newPlaces(plan.AllCredentials(), adapter.Keys())
	clients, err := newClients(plan, where)
	if err != nil {
		return nil, err
	}
	return &view{
		plan: plan, provider: adapter, links: rewriter, members: links.NewMembers(adapter.Links()), clients: clients,
		private: slices.Concat(adapter.IdentityHeaders(), where.headers),
		results: strings.TrimSuffix(plan.Intake.URL, "/") + contract.ResultsPath,
	}, nil
}

// route is what becomes of a call.
type route struct {
	// queue: store it durably first. async: the client wants no other answer than that it was stored.
	queue, async bool
	// wait is how long its client waits, for the sending or, if it was queued, for the answer; only if its turn is near, unless patient.
	wait    time.Duration
	patient bool
	// share: it may become one with equal calls. keep is for how long its answer is kept; 0 if it is not.
	share bool
	keep  time.Duration
	// applied are the client's preferences that were followed.
	applied []string
}

// route decides by the first operation that matches, then by the client's preference, then by the integration's default. Calls that only read are never queued;
// under Shadow and bypass nothing is.
func (v *view) route(i *contract.Integration, class dialect.Class, r *http.Request, path string, now time.Time) route {
	bypass := v.plan.BypassUntil != nil && now.Before(*v.plan.BypassUntil)
	if !v.plan.Enforce || !i.Enforce || bypass {
		return route{}
	}
	safe := dialect.SafeMethod(r.Method)
	policy, prefers := i.Default, preferencesOf(r.Header)
	path = v.provider.Canonical(path)
	matches := func(o contract.OperationOverflow) bool { return v.matchesOperation(o, class.Operation, r.Method, path) }
	if at := slices.IndexFunc(i.Operations, matches); at >= 0 {
		policy = i.Operations[at].Policy
	} else if prefers.async {
		policy = contract.Queued
	}
	if policy == contract.Queued && safe {
		policy = i.Default
	}
	var to route
	longest := time.Duration(i.WaitSeconds) * time.Second
	switch policy {
	case contract.Queued:
		return prefers.queued(longest)
	case contract.Wait:
		to = prefers.waiting(longest)
	case contract.Reject:
	}
	if r.Method == http.MethodGet && r.ContentLength == 0 {
		to.share, to.keep = i.ShareReads, v.keeps(i, class.Operation, path)
	}
	return to
}

// matchesOperation holds a call against an entry; path is in canonical form.
func (v *view) matchesOperation(o contract.OperationOverflow, operation, method, path string) bool {
	if o.Operation != "" {
		return o.Operation == operation
	}
	return slices.Contains(o.Methods, method) && call.PathMatches(v.provider.Canonical(o.Path), path)
}
