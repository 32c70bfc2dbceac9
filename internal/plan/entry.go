// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// lendPercent of a guarantee may be lent while its owner does not use it; the other half is kept free at any time.
const lendPercent = 50

// members are the Integrations of the CRM that are not being deleted, oldest first.
func members(in Input) []*v1alpha1.Integration {
	var out []*v1alpha1.Integration
	for i := range in.Integrations {
		m := &in.Integrations[i]
		if m.Namespace == in.CRM.Namespace && m.Spec.CRMRef.Name == in.CRM.Name && m.DeletionTimestamp.IsZero() {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *v1alpha1.Integration) int { return older(a, b) })
	return out
}

// entryOf translates an Integration.
func entryOf(i *v1alpha1.Integration, head *contract.Plan) contract.Integration {
	spec := &i.Spec
	entry := contract.Integration{
		Namespace: i.Namespace, Name: i.Name, UID: string(i.UID), Generation: i.Generation,
		Share: contract.Share{
			Weight:      int64(spec.Share.Weight),
			MaxPercent:  int64(spec.Share.MaxPercent),
			LendPercent: lendPercent,
		},
		Enforce:     enforces(i, head),
		Default:     contract.Overflow(spec.Overflow.Policy),
		WaitSeconds: int64(spec.Overflow.WaitSeconds),
		Queue: contract.Queue{
			MaxCalls:      int64(spec.Overflow.Queue.MaxCalls),
			MaxAgeSeconds: int64(spec.Overflow.Queue.MaxAgeSeconds),
		},
	}
	if p := spec.Share.GuaranteedPercent; p != nil {
		entry.Share.GuaranteedPercent = int64(*p)
	}
	for _, g := range spec.Share.GuaranteedCalls {
		if entry.Share.Guaranteed == nil {
			entry.Share.Guaranteed = make(map[string]int64)
		}
		entry.Share.Guaranteed[string(g.Limit)] = g.Calls
	}
	for _, o := range spec.Overflow.Operations {
		op := contract.OperationOverflow{Operation: o.Operation, Policy: contract.Overflow(o.Policy)}
		if o.Match != nil {
			op.Path = o.Match.Path
			for _, m := range o.Match.Methods {
				op.Methods = append(op.Methods, string(m))
			}
		}
		entry.Operations = append(entry.Operations, op)
	}
	for _, c := range spec.Clients {
		entry.Clients = append(entry.Clients, clientOf(c, i.Namespace))
	}
	return entry
}

// enforces: the laxer of the CRM and the Integration wins.
func enforces(i *v1alpha1.Integration, head *contract.Plan) bool {
	return head.Enforce && i.Spec.Enforcement != v1alpha1.EnforcementShadow
}

func clientOf(c v1alpha1.Client, namespace string) contract.Client {
	client := contract.Client{Name: c.Name}
	if c.ServiceAccount != nil {
		client.ServiceAccount = "system:serviceaccount:" + namespace + ":" + c.ServiceAccount.Name
	}
	for _, hash := range c.APIKeyHashes {
		client.APIKeySHA256 = append(client.APIKeySHA256, strings.TrimPrefix(hash, "sha256:"))
	}
	return client
}

// identities are what a client is recognised by.
func identities(c contract.Client) []string {
	if c.ServiceAccount != "" {
		return []string{c.ServiceAccount}
	}
	return c.APIKeySHA256
}
