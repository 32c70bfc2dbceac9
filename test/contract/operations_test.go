// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// isSafe reports whether a call only reads: by its operation, or by its method.
func (c *target) isSafe(what call) bool {
	if o, found := provider.Operation(c.provider, what.operation); found {
		return o.Safe
	}
	return dialect.SafeMethod(what.method)
}

// TestOperationsAreReached: each operation that manifests can name is an endpoint of the CRM, and its calls are called by its name.
func TestOperationsAreReached(t *testing.T) {
	each(t, func(c *target) {
		c.prepareAll()
		reached := map[string]bool{}
		for _, template := range c.suite.calls {
			what, known := c.filled(template)
			if class := classOf(c.provider, what); class.Operation != what.operation {
				c.Errorf("%s %s is called %q, want %q", what.method, what.path, class.Operation, what.operation)
			}
			reached[what.operation] = true
			if !known || !c.isSafe(what) && !writes() {
				continue
			}
			before := c.effects()
			got := c.send(what)
			if got.status >= http.StatusMultipleChoices {
				c.Errorf("%s: %s %s was answered %d: %s", what.operation, what.method, what.path, got.status, got.body)
			}
			if after := c.effects(); c.isSafe(what) && after != before {
				c.Errorf("%s is said to read, but has an effect", what.operation)
			}
		}
		for _, o := range c.provider.Operations() {
			if !reached[o.Name] {
				c.Errorf("operation %s has no case", o.Name)
			}
		}
		if c.sim == nil {
			return
		}
		if unknown := c.sim.Report().ByOperation[crm.Unknown]; unknown > 0 {
			c.Errorf("%d calls were for no endpoint", unknown)
		}
	})
}

// effects are how many records calls have made, and how often they have changed one; what they are in a sandbox is not known.
func (c *target) effects() [2]int {
	if c.sim == nil {
		return [2]int{}
	}
	tickets := c.sim.Report().Tickets
	return [2]int{tickets.Created, tickets.Updates}
}

// TestRepeatedCallsHaveNoSecondEffect: of those that the adapter says it of, and of those with a key.
func TestRepeatedCallsHaveNoSecondEffect(t *testing.T) {
	simulatedOnly(t)
	each(t, func(c *target) {
		c.prepareAll()
		for _, template := range c.suite.calls {
			what, _ := c.filled(template)
			class := classOf(c.provider, what)
			if class.Key != nil {
				what.header = append(what.header, class.Key.Header, "key of "+what.body)
			}
			if c.isSafe(what) || !class.Idempotent && class.Key == nil {
				continue
			}
			first := c.send(what)
			before := c.effects()
			second := c.send(what)
			if after := c.effects(); after[0] != before[0] {
				c.Errorf("%s %s has made another record when it was repeated: %d %s", what.method, what.path, second.status, second.body)
			}
			if first.status >= http.StatusMultipleChoices {
				c.Errorf("%s %s was answered %d: %s", what.method, what.path, first.status, first.body)
			}
		}
	})
}
