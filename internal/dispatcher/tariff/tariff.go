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
	limits []limits.Limit
	// users are all users of the CRM that the plan has.
	users []string
	// user is that of the CRM's own credentials.
	user      string
	rules     []rule
	canonical func(path string) string
	kinds     []kind
	index     map[string]Kind
	// amounts and key are of the call that was priced last: so that one more of a kind takes no memory.
	amounts []int64
	key     []byte
}

// rule is how one limit prices calls.
type rule struct {
	from contract.Limit
	// user of the CRM whose calls count; empty if all calls of the account do.
	user  string
	match *contract.Match
	costs []contract.Cost
	// record is the depth of the path segment that names the record, 0 if the limit is not per record.
	record int
}

// kind is what calls of one kind take; times is set if a part of that is execution time, for which amounts has one; exceeds is the number of the limit that is too
// small for them, or none.
type kind struct {
	amounts []int64
	cost    ledger.Cost
	times   *times
	exceeds int
}

// none is the number of no limit.
const none = -1

// New reads a plan's limits. One that the CRM keeps for each credential apart is there for each that the plan has: first all limits with those of the CRM's own
// credentials, in the plan's order, then those of the others. canonical brings paths into the one form in which they are compared; and so are patterns before they are held against them. The error names the limit.
func New(p *contract.Plan, canonical func(path string) string) (*Tariff, error) {
	t := &Tariff{canonical: canonical, index: map[string]Kind{}}
	t.user, t.users = p.Credentials.User(), p.Users()
	for n, user := range t.users {
		for _, from := range p.Limits {
			if n > 0 && !from.PerCredential {
				continue
			}
			l, err := limitOf(from, user)
			if err != nil {
				return nil, err
			}
			t.limits = append(t.limits, l)
			t.rules = append(t.rules, ruleOf(from, user, canonical))
		}
	}
	return t, nil
}

// Limits in the words of the domain.
func (t *Tariff) Limits() []limits.Limit { return t.limits }

// Declared is limit k as the plan has it.
func (t *Tariff) Declared(k int) contract.Limit { return t.rules[k].from }

// Counts says whether limit k counts calls that go out as this user of the CRM. Those of a user whom the plan does not have any more count for all.
func (t *Tariff) Counts(k int, user string) bool {
	of := t.rules[k].user
	return of == "" || of == user || !slices.Contains(t.users, user)
}

// IsLicence says whether limit k counts calls that go out with the CRM's own credentials, and not those of one integration's only.
func (t *Tariff) IsLicence(k int) bool { return t.Counts(k, t.user) }

// Kinds is how many kinds of calls were seen: they are numbered from 0.
func (t *Tariff) Kinds() int { return len(t.kinds) }

// Cost is what a call of this kind takes of each limit. Where it is execution time, that is what 99 of 100 calls stay below; it changes as calls are observed.
func (t *Tariff) Cost(k Kind) ledger.Cost { return t.kinds[k].cost }

// Call is what a price depends on.
type Call struct {
	// User of the CRM as whom it goes out.
	User              string
	Operation, Method string
	// Target is path and query.
	Target string
	// Counts are how many things are in the body, by name; what is not known is missing.
	Counts map[string]int64
}

// Price says of what kind a call is, and which record it is about as far as limits per record ask for that.
func (t *Tariff) Price(c Call) (Kind, ledger.Record) {
	asked := decode(c)
	asked.path = t.canonical(asked.path)
	t.amounts = t.amounts[:0]
	record, named := ledger.NoRecord, false
	for k := range t.rules {
		r, amount := &t.rules[k], int64(0)
		if t.Counts(k, c.User) {
			amount = r.amount(&asked)
		}
		t.amounts = append(t.amounts, amount)
		if r.record == 0 || amount == 0 {
			continue
		}
		switch this := recordOf(asked.path, r.record); {
		case !named:
			record, named = this, true
		case this != record:
			record = ledger.NoRecord // two limits mean different records: it counts against all
		}
	}
	return t.kindOf(t.amounts), record
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

// asked is a call as rules look at it.
type asked struct {
	Call
	path, query string
}

// decode reads a request target. One that cannot be read stays as it is; intake takes none.
func decode(c Call) asked {
	path, query, _ := strings.Cut(c.Target, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return asked{Call: c, path: c.Target}
	}
	return asked{Call: c, path: decoded, query: query}
}

func (r *rule) amount(a *asked) int64 {
	if r.match != nil && !a.matches(r.match) {
		return 0
	}
	for i := range r.costs {
		if c := &r.costs[i]; a.matches(&c.Match) {
			return c.Of(a.count(c.Per))
		}
	}
	return 1
}

func (a *asked) matches(m *contract.Match) bool {
	if len(m.Operations) > 0 {
		return slices.Contains(m.Operations, a.Operation)
	}
	return (len(m.Methods) == 0 || slices.Contains(m.Methods, a.Method)) && call.PathMatches(m.Path, a.path)
}

// recordOf is the record that the path names down to that depth.
func recordOf(path string, depth int) ledger.Record {
	segments := strings.SplitN(path, "/", depth+2)
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strings.Join(segments[:min(depth+1, len(segments))], "/"))) // it never fails
	return max(1, ledger.Record(hash.Sum64()))
}

func (t *Tariff) kindOf(amounts []int64) Kind {
	t.key = t.key[:0]
	for _, n := range amounts {
		t.key = binary.AppendVarint(t.key, n)
	}
	if k, known := t.index[string(t.key)]; known {
		return k
	}
	k := Kind(len(t.kinds))
	t.index[string(t.key)] = k
	amounts = slices.Clone(amounts)
	t.kinds = append(t.kinds, kind{amounts: amounts, cost: amounts, exceeds: none})
	for i, n := range amounts {
		if l := t.limits[i]; n > mostOf(l) && !l.AlertOnly {
			t.kinds[k].exceeds = i
		}
		if n > 0 && t.limits[i].Unit == limits.Milliseconds {
			t.kinds[k].times = newTimes()
		}
	}
	t.estimate(k)
	return k
}

// mostOf is the most that one call can take of a limit.
func mostOf(l limits.Limit) int64 {
	if l.Counting == limits.TokenBucket {
		return l.Burst
	}
	return l.Max
}

// Exceeds names a limit of which calls of this kind take n, more than the most that one call can; it is empty if there is none.
func (t *Tariff) Exceeds(k Kind) (limit string, n, most int64) {
	i := t.kinds[k].exceeds
	if i == none {
		return "", 0, 0
	}
	return t.limits[i].Name, t.kinds[k].cost[i], mostOf(t.limits[i])
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
