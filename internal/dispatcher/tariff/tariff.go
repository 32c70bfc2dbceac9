// SPDX-License-Identifier: Apache-2.0

// Package tariff says what a call takes of each limit of a plan. It is pure.
package tariff

import (
	"encoding/binary"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Kind is a number for all calls that take the same of every limit.
type Kind int

// Tariff prices calls by one plan. One goroutine owns it.
type Tariff struct {
	limits    []limits.Limit
	rules     []rule
	canonical func(path string) string
	kinds     []kind
	index     map[string]Kind
}

// rule is how one limit prices calls.
type rule struct {
	match *contract.Match
	costs []contract.Cost
	// record is the depth of the path segment that names the record, 0 if the limit is not per record.
	record int
}

// kind is what calls of one kind take; times is set if a part of that is execution time, for which amounts has one.
type kind struct {
	amounts []int64
	cost    ledger.Cost
	times   *times
}

// New reads a plan's limits. canonical brings paths into the one form in which they are compared; and so are patterns before they are held against them. The error names the limit.
func New(p *contract.Plan, canonical func(path string) string) (*Tariff, error) {
	t := &Tariff{canonical: canonical, index: map[string]Kind{}}
	for _, from := range p.Limits {
		l, err := limitOf(from, credentialOf(p.Credentials))
		if err != nil {
			return nil, err
		}
		t.limits = append(t.limits, l)
		t.rules = append(t.rules, ruleOf(from, canonical))
	}
	return t, nil
}

// Limits in the words of the domain, in the plan's order.
func (t *Tariff) Limits() []limits.Limit { return t.limits }

// Kinds is how many kinds of calls were seen: they are numbered from 0.
func (t *Tariff) Kinds() int { return len(t.kinds) }

// Cost is what a call of this kind takes of each limit. Where it is execution time, that is what 99 of 100 calls stay below; it changes as calls are observed.
func (t *Tariff) Cost(k Kind) ledger.Cost { return t.kinds[k].cost }

// Price says of what kind a call is, and which record it is about as far as limits per record ask for that.
func (t *Tariff) Price(operation, method, target string) (Kind, ledger.Record) {
	decoded := decode(target)
	path := t.canonical(decoded)
	amounts, record, named := make([]int64, len(t.rules)), ledger.NoRecord, false
	for k, r := range t.rules {
		amounts[k] = r.amount(operation, method, path)
		if r.record == 0 || amounts[k] == 0 {
			continue
		}
		switch this := recordOf(path, r.record); {
		case !named:
			record, named = this, true
		case this != record:
			record = ledger.NoRecord // two limits mean different records: it counts against all
		}
	}
	return t.kindOf(amounts), record
}

// ForRecords is the kind of a bulk call of kind k that changes records as calls of kind one do: of limits per record it takes what one of these takes.
func (t *Tariff) ForRecords(k, one Kind) Kind {
	amounts := slices.Clone(t.kinds[k].amounts)
	for i := range t.limits {
		if t.limits[i].Meter.PerRecord {
			amounts[i] = t.kinds[one].amounts[i]
		}
	}
	return t.kindOf(amounts)
}

// decode returns the path of a request target. One that cannot be read stays as it is; intake takes none.
func decode(target string) string {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return target
	}
	return u.Path
}

func (r *rule) amount(operation, method, path string) int64 {
	if r.match != nil && !matches(r.match, operation, method, path) {
		return 0
	}
	for i := range r.costs {
		if c := &r.costs[i]; matches(&c.Match, operation, method, path) {
			return c.Cost
		}
	}
	return 1
}

func matches(m *contract.Match, operation, method, path string) bool {
	if len(m.Operations) > 0 {
		return slices.Contains(m.Operations, operation)
	}
	return (len(m.Methods) == 0 || slices.Contains(m.Methods, method)) && call.PathMatches(m.Path, path)
}

// recordOf is the record that the path names down to that depth.
func recordOf(path string, depth int) ledger.Record {
	segments := strings.SplitN(path, "/", depth+2)
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strings.Join(segments[:min(depth+1, len(segments))], "/"))) // it never fails
	return max(1, ledger.Record(hash.Sum64()))
}

func (t *Tariff) kindOf(amounts []int64) Kind {
	var key []byte
	for _, n := range amounts {
		key = binary.AppendVarint(key, n)
	}
	if k, known := t.index[string(key)]; known {
		return k
	}
	k := Kind(len(t.kinds))
	t.index[string(key)] = k
	t.kinds = append(t.kinds, kind{amounts: amounts, cost: amounts})
	for i, n := range amounts {
		if n > 0 && t.limits[i].Unit == limits.Milliseconds {
			t.kinds[k].times = newTimes()
		}
	}
	t.estimate(k)
	return k
}

// Observe tells how long a call of this kind took, and reports whether its cost has changed by that.
func (t *Tariff) Observe(k Kind, took time.Duration) bool {
	kind := &t.kinds[k]
	return kind.times != nil && kind.times.add(took) && t.estimate(k)
}

// estimate puts the execution time of a kind into its cost.
func (t *Tariff) estimate(k Kind) bool {
	kind := &t.kinds[k]
	if kind.times == nil {
		return false
	}
	cost := slices.Clone(kind.cost)
	for i, n := range cost {
		if n > 0 && t.limits[i].Unit == limits.Milliseconds {
			cost[i] = min(kind.times.p99(), t.limits[i].Max) // a call that is alone always fits
		}
	}
	changed := !slices.Equal(cost, kind.cost)
	kind.cost = cost
	return changed
}
