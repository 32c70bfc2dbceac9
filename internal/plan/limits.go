// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the answer must not depend on the machine's files

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// zones are the time zones looked up so far: reading one takes longer than everything else that is done with it.
type zones map[string]*time.Location

func (z zones) load(name string) (*time.Location, error) {
	if zone, known := z[name]; known {
		return zone, nil
	}
	// "Local" is a name that only the library knows.
	zone, err := time.LoadLocation(name)
	if err == nil && (name == "Local" || name == "") {
		err = errors.New("no IANA name")
	}
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; use an IANA name such as Europe/Berlin", name)
	}
	z[name] = zone
	return zone, nil
}

// judgeLimits finds what only the provider and the time zones can tell of a licence's limits.
func judgeLimits(spec *v1alpha1.CRMSpec) Decision {
	known := make(zones)
	adapter, _ := provider.With(string(spec.Provider), generic(spec.Generic))
	if zone := spec.Licence.TimeZone; zone != "" {
		if _, err := known.load(string(zone)); err != nil {
			return Decision{v1alpha1.ReasonUnknownTimeZone, "licence.timeZone: " + err.Error()}
		}
	}
	for i := range spec.Licence.Limits {
		limit := &spec.Licence.Limits[i]
		field := fmt.Sprintf("licence.limits[%d] (%s)", i, limit.Name)
		if c := limit.Calendar; c != nil && c.TimeZone != "" {
			if _, err := known.load(string(c.TimeZone)); err != nil {
				return Decision{v1alpha1.ReasonUnknownTimeZone, field + ": " + err.Error()}
			}
		}
		matches := []v1alpha1.CallMatch{limit.Match}
		for _, c := range limit.Costs {
			matches = append(matches, c.Match)
		}
		for _, m := range matches {
			if d := judgeMatch(m, adapter, field); !d.OK() {
				return d
			}
		}
	}
	return accepted
}

func judgeMatch(match v1alpha1.CallMatch, adapter provider.Provider, field string) Decision {
	for _, name := range match.Operations {
		if _, d := lookUp(string(name), adapter, field+": operations", "path"); !d.OK() {
			return d
		}
	}
	return accepted
}

// lookUp finds an operation of a provider. The decision of one that is not known names those that are, and the field to use instead.
func lookUp(operation string, adapter provider.Provider, field, instead string) (safe bool, d Decision) {
	if adapter == nil {
		return false, Decision{v1alpha1.ReasonUnknownOperation, fmt.Sprintf("%s: the provider knows no operations; use %s", field, instead)}
	}
	found, ok := provider.Operation(adapter, operation)
	if !ok {
		return false, Decision{v1alpha1.ReasonUnknownOperation, fmt.Sprintf(
			"%s: provider %s knows no operation %s; it knows %s; otherwise use %s", field, adapter.Name(), operation, operationNames(adapter), instead)}
	}
	return found.Safe, accepted
}

// limits translates the licence's limits.
func limits(declared []v1alpha1.Limit) []contract.Limit {
	out := make([]contract.Limit, 0, len(declared))
	for i := range declared {
		l := &declared[i]
		limit := contract.Limit{
			Name: string(l.Name), Calls: l.Calls, ExecutionSeconds: l.ExecutionSeconds, WindowSeconds: int64(l.WindowSeconds), Concurrent: int64(l.Concurrent),
			UntilJobEnds:  l.Until == v1alpha1.SlotUntilJobEnds,
			PerRecord:     l.Scope == v1alpha1.LimitScopeRecord,
			PerCredential: l.Scope == v1alpha1.LimitScopeCredential,
			Counting:      contract.Counting(l.CRMCounting), Burst: l.Burst, GuardSeconds: int64(l.CountingGuardSeconds),
			AlertOnly: l.OnExhaustion == v1alpha1.OnExhaustionAlert,
		}
		if c := l.Calendar; c != nil {
			limit.Calendar = &contract.Calendar{Unit: contract.CalendarUnit(c.Unit), TimeZone: string(c.TimeZone)}
		}
		if len(l.Match.Operations) > 0 || l.Match.Path != "" {
			limit.Match = new(match(l.Match))
		}
		for _, c := range l.Costs {
			limit.Costs = append(limit.Costs, contract.Cost{Match: match(c.Match), Cost: int64(c.Cost), Per: per(c.Per)})
		}
		out = append(out, limit)
	}
	return out
}

func per(p v1alpha1.CostPer) *contract.Per {
	if p == (v1alpha1.CostPer{}) {
		return nil
	}
	return &contract.Per{
		BodyArray: p.BodyArray, QueryNumber: p.QueryNumber, QueryList: p.QueryList, Items: int64(cmp.Or(p.Items, 1)), Most: int64(p.Most), Plus: int64(p.Plus),
	}
}

func match(m v1alpha1.CallMatch) contract.Match {
	out := contract.Match{Path: string(m.Path)}
	for _, o := range m.Operations {
		out.Operations = append(out.Operations, string(o))
	}
	for _, method := range m.Methods {
		out.Methods = append(out.Methods, string(method))
	}
	return out
}

// shared are the limits that integrations have parts of, now or under the licence that follows, not those that each record has for itself. A limit that is of
// another size under the licence that follows is there twice: guarantees must fit into both.
func shared(head *contract.Plan) []contract.Limit {
	all := slices.Clone(head.Limits)
	if head.Next != nil {
		for _, l := range head.Next.Limits {
			if !slices.ContainsFunc(head.Limits, func(now contract.Limit) bool { return now.Name == l.Name && now.Size() == l.Size() }) {
				all = append(all, l)
			}
		}
	}
	return slices.DeleteFunc(all, func(l contract.Limit) bool { return l.PerRecord })
}

// unit is how many of the plan's units one of the manifest's is: execution is declared in seconds and planned in milliseconds.
func unit(l contract.Limit) int64 {
	if l.ExecutionSeconds > 0 {
		return 1000
	}
	return 1
}

// limitSource is left out where it is what every dispatcher does anyway.
func limitSource(source v1alpha1.LimitSource) contract.LimitSource {
	if source == v1alpha1.LimitSourceLowest {
		return ""
	}
	return contract.LimitSource(source)
}
