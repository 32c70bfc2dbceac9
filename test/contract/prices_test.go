// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"slices"
	"testing"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/catalogue"
	planned "github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// priced is the catalogue's limit of the CRM whose costs depend on what is in a call.
func priced(t *testing.T, c *target, limit string) *tariff.Tariff {
	t.Helper()
	known := catalogue.Of(v1alpha1.Provider(c.provider.Name())).Limits
	i := slices.IndexFunc(known, func(l catalogue.Limit) bool { return string(l.Name) == limit })
	p := planned.Plan{Limits: []planned.Limit{{Name: limit, Calls: 100_000, WindowSeconds: 86400}}}
	for _, cost := range known[i].Costs {
		of := planned.Cost{Match: planned.Match{Path: string(cost.Match.Path)}, Cost: int64(cost.Cost)}
		for _, method := range cost.Match.Methods {
			of.Match.Methods = append(of.Match.Methods, string(method))
		}
		if per := cost.Per; per.Most > 0 {
			of.Per = &planned.Per{
				BodyArray: per.BodyArray, QueryNumber: per.QueryNumber, QueryList: per.QueryList,
				Items: int64(max(per.Items, 1)), Most: int64(per.Most), Plus: int64(per.Plus),
			}
		}
		p.Limits[0].Costs = append(p.Limits[0].Costs, of)
	}
	made, err := tariff.New(&p, c.provider.Canonical)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestCallsAreChargedWhatTheCRMCounts: what the catalogue says of a call is what the CRM counts it as, however much is in it.
func TestCallsAreChargedWhatTheCRMCounts(t *testing.T) {
	simulatedOnly(t)
	for _, row := range []struct {
		suite     suite
		limit     string
		operation string
	}{
		{zohoSuite, "credits", "CreateContacts"},
		{zohoSuite, "credits", "UpsertLeads"},
		{salesforceSuite, "day", "CompositeBatch"},
		{salesforceSuite, "day", "Composite"},
		{salesforceSuite, "day", "CreateRecords"},
	} {
		i := slices.IndexFunc(row.suite.bulks, func(b bulk) bool { return b.operation == row.operation })
		b := row.suite.bulks[i]
		for _, items := range []int{1, b.most/2 + 1, b.most} {
			t.Run(fmt.Sprintf("%s/%s/%d", row.suite.provider, row.operation, items), func(t *testing.T) {
				c := open(t, row.suite, "all=100000/24h")
				what := c.filledWith(b, items)
				got := charged(t, c, row.limit, what)
				if answer := c.send(what); answer.status >= 300 {
					t.Fatalf("answered %d: %.300s", answer.status, answer.body)
				}
				if weight := int64(c.sim.Report().Limits[0].Peak.Calls); got != weight {
					t.Errorf("it is charged %d, and the CRM counts %d", got, weight)
				}
			})
		}
	}
	for _, query := range []string{"", "?include=stats", "?include=stats,requester"} {
		t.Run("Freshdesk/ListTickets"+query, func(t *testing.T) {
			c := open(t, freshdeskSuite, "all=100000/24h")
			what := call{"ListTickets", "GET", "/api/v2/tickets" + query, "", nil}
			got := charged(t, c, "minute", what)
			c.send(what)
			if weight := int64(c.sim.Report().Limits[0].Peak.Calls); got != weight {
				t.Errorf("it is charged %d, and the CRM counts %d", got, weight)
			}
		})
	}
}

func charged(t *testing.T, c *target, limit string, what call) int64 {
	t.Helper()
	of := priced(t, c, limit)
	kind, _ := of.Price(tariff.Call{
		Operation: what.operation, Method: what.method, Target: what.path, Counts: dialect.Counts("application/json", []byte(what.body)),
	})
	return of.Cost(kind)[0]
}
