// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

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

// What holds for calls of an Integration without overflow: the defaults of its fields.
const (
	defaultWaitSeconds   = 8
	defaultQueuedCalls   = 1000
	defaultQueuedBytes   = 128 << 20
	defaultMaxAgeSeconds = 24 * 60 * 60
)

// entryOf translates an Integration.
func entryOf(i *v1alpha1.Integration, crm *v1alpha1.CRMSpec, head *contract.Plan) contract.Integration {
	spec := &i.Spec
	external := spec.Route == v1alpha1.RouteExternal
	entry := contract.Integration{
		Namespace: i.Namespace, Name: i.Name, UID: string(i.UID), Generation: i.Generation,
		Share:     shareOf(&spec.Share, head.Limits, external),
		Overrides: overridesOf(spec.Overrides, head.Limits, external),
		Priority:  contract.Priority(spec.Priority),
		External:  external,
		Enforce:   enforces(i, head),
	}
	entry.MostUrgent, entry.LeastUrgent = urgencies(spec.PriorityHeader)
	overflow(&entry, &spec.Overflow)
	entry.ShareReads = !external && spec.Reads.Share != v1alpha1.ShareNever
	for _, c := range spec.Reads.Cache {
		entry.CachedReads = append(entry.CachedReads, contract.CachedRead{Operation: string(c.Operation), Path: string(c.Path), Seconds: int64(c.Seconds)})
	}
	entry.Credentials = ownCredentials(spec.Credentials, crm)
	entry.Batching = batchingOf(spec, head)
	entry.Callbacks = callbacksOf(&spec.Callbacks)
	for _, c := range spec.Clients {
		entry.Clients = append(entry.Clients, clientOf(c, i.Namespace))
	}
	return entry
}

// urgencies are the steps from the ordinary urgency that requests can ask for. RFC 9218 has urgencies from 0 to 7, of which 3 is the ordinary one.
func urgencies(header v1alpha1.PriorityHeader) (most, least int8) {
	switch header {
	case v1alpha1.PriorityHeaderFollow:
		return -3, 4
	case v1alpha1.PriorityHeaderLower:
		return 0, 4
	case v1alpha1.PriorityHeaderIgnore:
	}
	return 0, 0
}

// overflow translates what happens to calls that do not fit. It may be absent.
func overflow(entry *contract.Integration, o *v1alpha1.Overflow) {
	entry.Default = contract.Overflow(cmp.Or(o.Policy, v1alpha1.OverflowWait))
	entry.WaitSeconds = int64(cmp.Or(o.WaitSeconds, defaultWaitSeconds))
	entry.Queue = contract.Queue{
		MaxCalls:      int64(cmp.Or(o.Queue.MaxCalls, defaultQueuedCalls)),
		MaxBytes:      cmp.Or(o.Queue.MaxBytes.Value(), defaultQueuedBytes),
		MaxAgeSeconds: int64(cmp.Or(o.Queue.MaxAgeSeconds, defaultMaxAgeSeconds)),
	}
	for _, declared := range o.Operations {
		op := contract.OperationOverflow{Operation: string(declared.Operation), Policy: contract.Overflow(declared.Policy)}
		if declared.Match != nil {
			op.Path = string(declared.Match.Path)
			for _, m := range declared.Match.Methods {
				op.Methods = append(op.Methods, string(m))
			}
		}
		entry.Operations = append(entry.Operations, op)
	}
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
	for _, hash := range c.CRMCredentialHashes {
		client.CRMCredentialSHA256 = append(client.CRMCredentialSHA256, strings.TrimPrefix(hash, "sha256:"))
	}
	return client
}

// identities are what the clients of an entry are recognised by, each with the client's name.
func identities(entry *contract.Integration) iter.Seq2[string, string] {
	return func(yield func(id, client string) bool) {
		for _, c := range entry.Clients {
			ids := slices.Concat(c.APIKeySHA256, c.CRMCredentialSHA256)
			if c.ServiceAccount != "" {
				ids = []string{c.ServiceAccount}
			}
			for _, id := range ids {
				if !yield(id, c.Name) {
					return
				}
			}
		}
	}
}
