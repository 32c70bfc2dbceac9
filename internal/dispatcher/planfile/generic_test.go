// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestValidateWhatIsToldOfAnAPI(t *testing.T) {
	for name, test := range map[string]struct {
		change func(p *contract.Plan, g *contract.Generic)
		want   string
	}{
		"all of it":                 {func(*contract.Plan, *contract.Generic) {}, ""},
		"another provider":          {func(p *contract.Plan, _ *contract.Generic) { p.CRM.Provider = "Zendesk" }, "generic: is for the provider Generic only"},
		"too many rules":            {func(_ *contract.Plan, g *contract.Generic) { g.Refusals = make([]contract.RefusalRule, 17) }, "generic.refusals: there are 17"},
		"success":                   {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Statuses[0] = 200 }, "generic.refusals[0].statuses: 200"},
		"no status":                 {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Statuses = nil }, "generic.refusals[0].statuses: there are 0"},
		"a member alone":            {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Values = nil }, "member and values are set together"},
		"a member without name":     {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Member[0] = "" }, "is not the path of a member"},
		"a scope":                   {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Scope = "" }, `generic.refusals[0].scope: "" is not one of`},
		"a header to wait by":       {func(_ *contract.Plan, g *contract.Generic) { g.Refusals[0].Wait.Header = "" }, "generic.refusals[0].wait: has no name"},
		"a limit header":            {func(_ *contract.Plan, g *contract.Generic) { g.LimitHeaders.Limit = "a b" }, `generic.limitHeaders: "a b" is not the name`},
		"a reset header":            {func(_ *contract.Plan, g *contract.Generic) { g.LimitHeaders.Reset.Header = ":" }, "generic.limitHeaders.reset: has no name"},
		"a window of limit headers": {func(_ *contract.Plan, g *contract.Generic) { g.LimitHeaders.WindowSeconds = -1 }, "generic.limitHeaders.windowSeconds: -1"},
		"too many links":            {func(_ *contract.Plan, g *contract.Generic) { g.Links = make([][]string, 33) }, "generic.links: there are 33"},
		"a link":                    {func(_ *contract.Plan, g *contract.Generic) { g.Links[0] = nil }, "generic.links[0]: [] is not the path"},
		"a key's header":            {func(_ *contract.Plan, g *contract.Generic) { g.IdempotencyKey.Header = "" }, `generic.idempotencyKey.header: "" is not the name`},
		"a key's length":            {func(_ *contract.Plan, g *contract.Generic) { g.IdempotencyKey.MaxLength = 31 }, "generic.idempotencyKey.maxLength: 31"},
		"a key's validity":          {func(_ *contract.Plan, g *contract.Generic) { g.IdempotencyKey.ValidForSeconds = 0 }, "generic.idempotencyKey.validForSeconds: 0"},
		"a key for no calls":        {func(_ *contract.Plan, g *contract.Generic) { g.IdempotencyKey.Match = nil }, "generic.idempotencyKey.match: there are 0"},
		"a key for no method":       {func(_ *contract.Plan, g *contract.Generic) { g.IdempotencyKey.Match[0].Methods = nil }, "generic.idempotencyKey.match: needs methods"},
		"the name of a bulk call":   {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].Operation = "create" }, `generic.bulkCalls[0].operation: "create"`},
		"a pattern for a bulk call": {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].Path = "/x/*" }, `generic.bulkCalls[0]: "/x/*" is not a path`},
		"a bulk call to itself":     {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].BulkPath = "/x" }, "generic.bulkCalls[0]: path and bulkPath are the same"},
		"a bulk call of one":        {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].MaxItems = 1 }, "generic.bulkCalls[0].maxItems: 1"},
		"a bulk call without IDs":   {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].ID = nil }, "generic.bulkCalls[0].id: [] is not the path"},
		"a place of results":        {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].Results = []string{""} }, "is not the path of a member"},
		"no values of failure":      {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls[0].Outcome.Failed = nil }, "generic.bulkCalls[0].outcome: needs values"},
		"a bulk call twice":         {func(_ *contract.Plan, g *contract.Generic) { g.BulkCalls = append(g.BulkCalls, g.BulkCalls[0]) }, "generic.bulkCalls[1]: its operation or path is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := &contract.Plan{CRM: contract.CRMIdentity{Provider: "Generic"}, Generic: &contract.Generic{
				Refusals: []contract.RefusalRule{{
					Statuses: []int64{403}, Member: []string{"code"}, Values: []string{"BUSY"}, Scope: contract.RefusalLicence, Wait: &contract.TimeHeader{Header: "X-Wait"},
				}},
				LimitHeaders: &contract.LimitHeaders{Limit: "X-Limit", Reset: &contract.TimeHeader{Header: "X-Reset"}},
				Links:        [][]string{{"next"}},
				IdempotencyKey: &contract.IdempotencyKey{
					Header: "X-Key", MaxLength: 64, ValidForSeconds: 60, Match: []contract.CallMatch{{Methods: []string{"POST"}, Path: "/x"}},
				},
				BulkCalls: []contract.BulkCall{{
					Operation: "CreateX", Path: "/x", BulkPath: "/x/bulk", MaxItems: 50, ID: []string{"id"},
					Outcome: &contract.BulkOutcome{Member: []string{"status"}, Succeeded: []string{"ok"}, Failed: []string{"bad"}},
				}},
			}}
			test.change(plan, plan.Generic)
			var p problems
			p.generic(plan)
			switch err := p.err(); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
