// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	maxRules        = 16
	maxMemberDepth  = 8
	maxDeclared     = 32
	leastKey        = 32
	mostKey         = 64
	leastKeySeconds = 60
	mostKeySeconds  = 31 * 24 * 60 * 60

	maxLimitHeaderSeconds = 31 * 24 * 60 * 60
)

// generic checks what is told of an API without an adapter.
func (p *problems) generic(plan *contract.Plan) {
	g := plan.Generic
	if g == nil {
		return
	}
	p.require(plan.CRM.Provider == "Generic", "generic", "is for the provider Generic only, not for %s", plan.CRM.Provider)
	p.require(len(g.Refusals) <= maxRules, "generic.refusals", "there are %d, more than %d", len(g.Refusals), maxRules)
	for i, r := range g.Refusals {
		p.refusal(r, fmt.Sprintf("generic.refusals[%d]", i))
	}
	if h := g.LimitHeaders; h != nil {
		for _, name := range []string{h.Limit, h.Remaining} {
			p.require(name == "" || headerName.MatchString(name), "generic.limitHeaders", "%q is not the name of a header", name)
		}
		p.timeHeader(h.Reset, "generic.limitHeaders.reset")
		p.within(h.WindowSeconds, 0, maxLimitHeaderSeconds, "generic.limitHeaders.windowSeconds")
	}
	p.require(len(g.Links) <= maxDeclared, "generic.links", "there are %d, more than %d", len(g.Links), maxDeclared)
	for i, l := range g.Links {
		p.member(l, fmt.Sprintf("generic.links[%d]", i))
	}
	p.key(g.IdempotencyKey)
	p.bulkCalls(g.BulkCalls)
}

func (p *problems) refusal(r contract.RefusalRule, field string) {
	p.require(1 <= len(r.Statuses) && len(r.Statuses) <= maxRules, field+".statuses", "there are %d, not 1 to %d", len(r.Statuses), maxRules)
	for _, s := range r.Statuses {
		p.within(s, http.StatusBadRequest, 599, field+".statuses")
	}
	p.require((len(r.Member) > 0) == (len(r.Values) > 0), field, "member and values are set together")
	if len(r.Member) > 0 {
		p.member(r.Member, field+".member")
	}
	scopes := []contract.RefusalScope{contract.RefusalLicence, contract.RefusalEndpoint, contract.RefusalRecord}
	p.require(slices.Contains(scopes, r.Scope), field+".scope", "%q is not one of %v", r.Scope, scopes)
	p.timeHeader(r.Wait, field+".wait")
}

func (p *problems) member(names []string, field string) {
	p.require(1 <= len(names) && len(names) <= maxMemberDepth && !slices.Contains(names, ""), field, "%q is not the path of a member", names)
}

func (p *problems) timeHeader(h *contract.TimeHeader, field string) {
	p.require(h == nil || headerName.MatchString(h.Header), field, "has no name of a header")
}

func (p *problems) key(k *contract.IdempotencyKey) {
	if k == nil {
		return
	}
	const field = "generic.idempotencyKey"
	p.require(headerName.MatchString(k.Header), field+".header", "%q is not the name of a header", k.Header)
	p.within(k.MaxLength, leastKey, mostKey, field+".maxLength")
	p.within(k.ValidForSeconds, leastKeySeconds, mostKeySeconds, field+".validForSeconds")
	p.require(1 <= len(k.Match) && len(k.Match) <= maxRules, field+".match", "there are %d, not 1 to %d", len(k.Match), maxRules)
	for _, m := range k.Match {
		p.require(len(m.Methods) > 0 && m.Path != "", field+".match", "needs methods and a path")
	}
}
