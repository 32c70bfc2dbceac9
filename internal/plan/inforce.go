// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxPlanBytes keeps the plan's ConfigMap below the 1 MiB that the API server takes, its metadata included.
const maxPlanBytes = 1 << 20 * 9 / 10

// admission is the set of entries in force so far, with running sums of everything that bounds it.
type admission struct {
	head    *contract.Plan
	inForce map[string]*held
	granted *guarantees
	// owners maps a client's identity to the key of the entry in force that has it.
	owners map[string]string
	bytes  int
	// freed counts the times that something became smaller.
	freed int
}

// held is an entry in force.
type held struct {
	entry   contract.Integration
	profile profile
	size    int
}

// newAdmission puts in force what was granted before, cut to what fits.
func newAdmission(head *contract.Plan, granted []grant, t *timeline) *admission {
	a := &admission{
		head: head, inForce: make(map[string]*held), granted: newGuarantees(head, t), owners: make(map[string]string), bytes: encodedSize(headOnly(head)),
	}
	for _, g := range granted {
		p := a.granted.profileOf(&g.entry, g.calendar)
		entry := a.granted.cut(g.entry, &p)
		if !sameShares(&entry, &g.entry) {
			p = a.granted.profileOf(&entry, g.calendar)
		}
		a.put(&held{entry, p, encodedSize(entry)})
	}
	return a
}

// put puts an entry in force in place of the one of the same key.
func (a *admission) put(h *held) {
	key := h.entry.Key()
	old := a.inForce[key]
	if old != nil {
		a.granted.add(&old.profile, -1)
		a.bytes -= old.size
		for id := range identities(&old.entry) {
			delete(a.owners, id)
		}
	}
	a.inForce[key] = h
	a.granted.add(&h.profile, 1)
	a.bytes += h.size
	for id := range identities(&h.entry) {
		a.owners[id] = key
	}
	if old != nil && a.frees(old, h) {
		a.freed++
	}
}

// frees says whether something that another entry may be waiting for becomes smaller from one version of an entry to the next.
func (a *admission) frees(from, to *held) bool {
	if to.size < from.size || a.granted.grows(&from.profile, &to.profile) {
		return true
	}
	for id := range identities(&from.entry) {
		if _, kept := a.owners[id]; !kept {
			return true
		}
	}
	return false
}

// obstacle says why an entry does not fit beside the others in force. OK means that it does.
func (a *admission) obstacle(c *candidate) Decision {
	if d := a.clientsTaken(&c.entry); !d.OK() {
		return d
	}
	old, had := a.inForce[c.entry.Key()]
	size := c.size
	if had {
		size -= old.size
	}
	if d := a.guaranteeFits(c, old); !d.OK() {
		return d
	}
	if !had && len(a.inForce) >= contract.MaxIntegrations {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"CRM %s has %d integrations already, which is the most: delete one", a.head.CRM.Name, contract.MaxIntegrations)}
	}
	if d := a.credentialsFit(&c.entry); !d.OK() {
		return d
	}
	if a.bytes+size > maxPlanBytes {
		return Decision{v1alpha1.ReasonTooManyIntegrations, fmt.Sprintf(
			"the dispatch plan of CRM %s would exceed %d bytes: shorten overflow.operations, overrides or clients, or delete an integration",
			a.head.CRM.Name, maxPlanBytes)}
	}
	return accepted
}

func (a *admission) clientsTaken(entry *contract.Integration) Decision {
	for id, name := range identities(entry) {
		if owner, taken := a.owners[id]; taken && owner != entry.Key() {
			return Decision{v1alpha1.ReasonDuplicateClient, fmt.Sprintf(
				"clients: %s is already a client of integration %s: remove it from one of the two", name, owner)}
		}
	}
	return accepted
}

// guaranteeFits: what is guaranteed already fits.
func (a *admission) guaranteeFits(c *candidate, old *held) Decision {
	if old == nil {
		return a.granted.fits(&c.entry, &c.profile, nil)
	}
	if sameShares(&c.entry, &old.entry) {
		return accepted
	}
	return a.granted.fits(&c.entry, &c.profile, &old.profile)
}

// asksMore says whether an entry wants anything that the one in force does not have.
func (a *admission) asksMore(c *candidate) bool {
	old, had := a.inForce[c.entry.Key()]
	if !had {
		nothing := a.granted.profileOf(&contract.Integration{}, nil)
		old = &held{profile: nothing}
	}
	if !sameShares(&c.entry, &old.entry) && a.granted.grows(&c.profile, &old.profile) {
		return true
	}
	for id := range identities(&c.entry) {
		if a.owners[id] != c.entry.Key() {
			return true
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
