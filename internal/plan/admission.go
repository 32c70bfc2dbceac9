// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxPlanBytes keeps the plan's ConfigMap below the 1 MiB that the API server takes, its metadata included.
const maxPlanBytes = 1 << 20 * 9 / 10

// admitAll decides which Integrations the plan holds. It starts from what the previous plan grants and takes over one declared entry after the other, as long
// as it fits beside all others in force: first those that ask for nothing more, then by age. What is left over keeps its previous entry, if it had one. The
// outcome is a fixed point: compiling again with the new plan as the previous one changes nothing.
func admitAll(in Input, head *contract.Plan) ([]contract.Integration, map[types.NamespacedName]Decision) {
	decisions := make(map[types.NamespacedName]Decision)
	declared := members(in)
	a := newAdmission(head, declared, in.Previous)

	var pending []*candidate
	for _, i := range declared {
		c := &candidate{name: nameOf(i), entry: entryOf(i, head)}
		if d := judgeEntry(&c.entry, head); !d.OK() {
			decisions[c.name] = a.refuse(c, d)
			continue
		}
		c.size = encodedSize(c.entry)
		c.asksMore = a.asksMore(&c.entry)
		pending = append(pending, c)
	}
	slices.SortStableFunc(pending, func(x, y *candidate) int { return cmp.Compare(rank(x), rank(y)) })
	for {
		n := slices.IndexFunc(pending, func(c *candidate) bool { return a.obstacle(c).OK() })
		if n < 0 {
			break
		}
		a.put(pending[n].entry, pending[n].size)
		decisions[pending[n].name] = accepted
		pending = slices.Delete(pending, n, n+1)
	}
	for _, c := range pending {
		decisions[c.name] = a.refuse(c, a.obstacle(c))
	}
	return a.entries(), decisions
}

// candidate is a declared Integration that waits to be taken over.
type candidate struct {
	name     types.NamespacedName
	entry    contract.Integration
	size     int
	asksMore bool
}

func rank(c *candidate) int {
	if c.asksMore {
		return 1
	}
	return 0
}

// admission is the set of entries in force so far, with running sums of everything that bounds it.
type admission struct {
	head    *contract.Plan
	inForce map[string]held
	granted *guarantees
	// owners maps a client's identity to the key of the entry in force that has it.
	owners map[string]string
	bytes  int
}

type held struct {
	entry contract.Integration
	size  int
}

// newAdmission puts in force what the previous plan grants to Integrations that are still declared. Where the licence has shrunk the guarantees are cut:
// percentages shrink by themselves and so go first, then calls by age.
func newAdmission(head *contract.Plan, declared []*v1alpha1.Integration, previous *contract.Plan) *admission {
	a := &admission{head: head, inForce: make(map[string]held), granted: newGuarantees(head.Limits), owners: make(map[string]string), bytes: encodedSize(headOnly(head))}
	if previous == nil || previousLicence(previous) != previousLicence(head) {
		return a
	}
	entries := make(map[string]contract.Integration, len(previous.Integrations))
	for _, e := range previous.Integrations {
		entries[e.Key()] = e
	}
	inCalls := func(i *v1alpha1.Integration) int { return min(len(entries[nameOf(i).String()].Share.Guaranteed), 1) }
	byKind := slices.SortedStableFunc(slices.Values(declared), func(x, y *v1alpha1.Integration) int { return cmp.Compare(inCalls(x), inCalls(y)) })
	for _, i := range byKind {
		entry, found := entries[nameOf(i).String()]
		if !found {
			continue
		}
		entry.Enforce = enforces(i, head)
		entry.Share = a.granted.cut(entry.Share)
		a.put(entry, encodedSize(entry))
	}
	return a
}

// put puts an entry in force in place of the one of the same key.
func (a *admission) put(entry contract.Integration, size int) {
	a.take(entry.Key())
	a.inForce[entry.Key()] = held{entry, size}
	a.granted.add(entry.Share, 1)
	a.bytes += size
	for _, c := range entry.Clients {
		for _, id := range identities(c) {
			a.owners[id] = entry.Key()
		}
	}
}

// take removes the entry of that key and returns it.
func (a *admission) take(key string) (held, bool) {
	h, found := a.inForce[key]
	if !found {
		return held{}, false
	}
	delete(a.inForce, key)
	a.granted.add(h.entry.Share, -1)
	a.bytes -= h.size
	for _, c := range h.entry.Clients {
		for _, id := range identities(c) {
			delete(a.owners, id)
		}
	}
	return h, true
}

// obstacle says why an entry does not fit beside the others in force. OK means that it does.
func (a *admission) obstacle(c *candidate) Decision {
	if old, had := a.take(c.entry.Key()); had {
		defer a.put(old.entry, old.size)
	}
	if d := a.clientsTaken(&c.entry); !d.OK() {
		return d
	}
	if d := a.guaranteeFits(&c.entry); !d.OK() {
		return d
	}
	if len(a.inForce) >= contract.MaxIntegrations {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"CRM %s has %d integrations already, which is the most: delete one", a.head.CRM.Name, contract.MaxIntegrations)}
	}
	if a.bytes+c.size > maxPlanBytes {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"the dispatch plan of CRM %s would exceed %d bytes: shorten overflow.operations or clients, or delete an integration", a.head.CRM.Name, maxPlanBytes)}
	}
	return accepted
}

func (a *admission) clientsTaken(entry *contract.Integration) Decision {
	for _, c := range entry.Clients {
		for _, id := range identities(c) {
			if owner, taken := a.owners[id]; taken {
				return Decision{v1alpha1.ReasonDuplicateClient, fmt.Sprintf(
					"clients: %s is already a client of integration %s: remove it from one of the two", c.Name, owner)}
			}
		}
	}
	return accepted
}

func (a *admission) guaranteeFits(entry *contract.Integration) Decision {
	share := entry.Share
	if share.Guaranteed == nil {
		if left := 100 - a.granted.percent; share.GuaranteedPercent > left {
			return Decision{v1alpha1.ReasonGuaranteeExceedsLicence, fmt.Sprintf(
				"share.guaranteedPercent: %d is more than the %d percent that other integrations leave: lower it, or lower theirs", share.GuaranteedPercent, left)}
		}
	}
	for _, l := range a.head.Limits {
		if left := capacity(l) - a.granted.calls[l.Name]; amount(share, l) > left {
			return Decision{v1alpha1.ReasonGuaranteeExceedsLicence, fmt.Sprintf(
				"share: %d calls of limit %s are more than the %d of %d that other integrations leave: lower the guarantee, or lower theirs",
				amount(share, l), l.Name, left, capacity(l))}
		}
	}
	return accepted
}

// asksMore says whether an entry wants anything that the one in force does not have.
func (a *admission) asksMore(entry *contract.Integration) bool {
	old := a.inForce[entry.Key()].entry
	if grows(entry.Share, old.Share, a.head.Limits) {
		return true
	}
	for _, c := range entry.Clients {
		for _, id := range identities(c) {
			if a.owners[id] != entry.Key() {
				return true
			}
		}
	}
	return false
}

// refuse completes a decision by what happens instead.
func (a *admission) refuse(c *candidate, d Decision) Decision {
	if _, had := a.inForce[c.entry.Key()]; had {
		d.Message += "; meanwhile its previous version stays in force"
	}
	return d
}

// entries are those in force in order of key.
func (a *admission) entries() []contract.Integration {
	out := make([]contract.Integration, 0, len(a.inForce))
	for _, key := range slices.Sorted(maps.Keys(a.inForce)) {
		out = append(out, a.inForce[key].entry)
	}
	return out
}

func headOnly(p *contract.Plan) contract.Plan {
	h := *p
	h.Integrations = nil
	return h
}

func encodedSize(v any) int {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("plan: keys that are not JSON were left out before: " + err.Error())
	}
	return len(encoded) + 1 // the comma between entries
}
