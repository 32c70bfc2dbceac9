// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	maxWaitSeconds  = 300
	maxQueued       = 100_000
	maxQueuedBytes  = 1 << 40
	maxAgeSeconds   = 7 * 24 * 60 * 60
	maxCacheSeconds = 24 * 60 * 60
)

func (p *problems) integrations(plan *contract.Plan, adapter provider.Provider) {
	p.require(len(plan.Integrations) <= contract.MaxIntegrations, "integrations", "there are %d, more than %d", len(plan.Integrations), contract.MaxIntegrations)
	holders := map[string]string{} // of keys and service accounts: two would make it a matter of chance who pays
	seen := map[string]bool{}
	for _, integration := range plan.Integrations {
		field := fmt.Sprintf("integrations[%s]", integration.Key())
		p.require(integration.Namespace != "" && integration.Name != "" && integration.UID != "", field, "namespace, name and uid are required")
		p.require(!seen[integration.Key()], field, "is there twice")
		seen[integration.Key()] = true
		p.shares(&integration, everLimits(plan), field)
		p.priority(integration.Priority, field+".priority")
		p.within(int64(integration.MostUrgent), -3, 0, field+".mostUrgent")
		p.within(int64(integration.LeastUrgent), 0, 4, field+".leastUrgent")
		p.overflow(integration, adapter, field)
		p.cachedReads(integration.CachedReads, adapter, field+".cachedReads")
		p.batching(integration.Batching, adapter, field+".batching")
		p.clients(integration.Clients, holders, field)
		p.passThrough(&integration, field)
		p.ownCredentials(integration.Credentials, plan.Endpoint, field+".credentials")
		p.callbacks(integration.Callbacks, field+".callbacks")
		p.require(!integration.External || integration.Credentials == nil, field+".credentials", "must not be set for an external integration")
		p.require(!integration.External || len(integration.Clients) == 0, field+".clients", "must not be set for an external integration")
	}
	secrets := len(plan.OwnSecrets())
	p.require(secrets <= contract.MaxOwnSecrets, "integrations", "they name %d Secrets of their own, more than %d", secrets, contract.MaxOwnSecrets)
	for _, limits := range [][]contract.Limit{plan.Limits, plan.FollowingLimits()} {
		at := *plan
		at.Limits = limits
		counted := at.CountedLimits()
		p.require(counted <= contract.MaxCountedLimits, "integrations", "their credentials make %d limits, more than %d", counted, contract.MaxCountedLimits)
	}
	p.guarantees(plan, plan.Limits, "limits")
	if plan.Next != nil {
		p.guarantees(plan, plan.Next.Limits, "next.limits")
	}
}

// passThrough: where one client brings its own credential, all do, and no call is queued, since the credential is not stored.
func (p *problems) passThrough(i *contract.Integration, field string) {
	if !i.PassesThrough() {
		return
	}
	all := !slices.ContainsFunc(i.Clients, func(c contract.Client) bool { return len(c.CRMCredentialSHA256) == 0 })
	p.require(all, field+".clients", "crmCredentialSHA256 must be set for all or for none")
	p.require(i.Credentials == nil, field+".credentials", "must not be set where clients bring their own")
	queues := slices.ContainsFunc(i.Operations, func(o contract.OperationOverflow) bool { return o.Policy == contract.Queued })
	p.require(!queues, field+".operations", "Queue is not for calls whose clients bring their own credentials")
}

func (p *problems) overflow(integration contract.Integration, adapter provider.Provider, field string) {
	p.require(integration.Default == contract.Wait || integration.Default == contract.Reject, field+".default", "%q is neither Wait nor Reject", integration.Default)
	p.within(integration.WaitSeconds, 0, maxWaitSeconds, field+".waitSeconds")
	p.within(integration.Queue.MaxCalls, 0, maxQueued, field+".queue.maxCalls")
	p.within(integration.Queue.MaxBytes, 0, maxQueuedBytes, field+".queue.maxBytes")
	p.within(integration.Queue.MaxAgeSeconds, 1, maxAgeSeconds, field+".queue.maxAgeSeconds")
	for i, o := range integration.Operations {
		p.operation(o, adapter, fmt.Sprintf("%s.operations[%d]", field, i))
	}
}

func (p *problems) operation(o contract.OperationOverflow, adapter provider.Provider, field string) {
	switch o.Policy {
	case contract.Wait, contract.Reject, contract.Queued:
	default:
		p.require(false, field+".policy", "%q is not Wait, Reject or Queue", o.Policy)
	}
	matches := len(o.Methods) > 0 || o.Path != ""
	p.require((o.Operation != "") != matches, field, "either operation, or methods and path, must be set")
	safe := slices.ContainsFunc(o.Methods, dialect.SafeMethod)
	if matches {
		p.require(len(o.Methods) > 0 && strings.HasPrefix(o.Path, "/"), field, "methods and an absolute path are required")
	} else if adapter != nil {
		known, found := provider.Operation(adapter, o.Operation)
		p.require(found, field+".operation", "%q is not an operation of %s", o.Operation, adapter.Name())
		safe = known.Safe
	}
	p.require(!safe || o.Policy != contract.Queued, field+".policy", "Queue is not for calls that only read: their callers need the answer")
}

func (p *problems) cachedReads(cached []contract.CachedRead, adapter provider.Provider, field string) {
	for i, c := range cached {
		at := fmt.Sprintf("%s[%d]", field, i)
		p.within(c.Seconds, 1, maxCacheSeconds, at+".seconds")
		p.require((c.Operation != "") != (c.Path != ""), at, "either operation or path must be set")
		p.require(c.Path == "" || strings.HasPrefix(c.Path, "/"), at+".path", "%q is not absolute", c.Path)
		if c.Operation != "" && adapter != nil {
			known, found := provider.Operation(adapter, c.Operation)
			p.require(found && known.Safe, at+".operation", "%q is not an operation of %s that only reads", c.Operation, adapter.Name())
		}
	}
}

var keyHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (p *problems) clients(clients []contract.Client, holders map[string]string, field string) {
	names := map[string]bool{}
	for _, client := range clients {
		at := fmt.Sprintf("%s.clients[%s]", field, client.Name)
		p.require(client.Name != "" && !names[client.Name], at, "names must be set and differ")
		names[client.Name] = true
		kinds := 0
		for _, is := range []bool{client.ServiceAccount != "", len(client.APIKeySHA256) > 0, len(client.CRMCredentialSHA256) > 0} {
			if is {
				kinds++
			}
		}
		p.require(kinds == 1, at, "exactly one of serviceAccount, apiKeySHA256, crmCredentialSHA256 must be set")
		p.hashes(client.APIKeySHA256, at+".apiKeySHA256")
		p.hashes(client.CRMCredentialSHA256, at+".crmCredentialSHA256")
		identities := slices.Concat(client.APIKeySHA256, client.CRMCredentialSHA256)
		if client.ServiceAccount != "" {
			identities = []string{client.ServiceAccount}
			p.require(strings.HasPrefix(client.ServiceAccount, "system:serviceaccount:"), at+".serviceAccount", "%q is not the subject of a service account", client.ServiceAccount)
		}
		for _, identity := range identities {
			holder, taken := holders[identity]
			p.require(!taken, at, "has the same key or service account as %s", holder)
			holders[identity] = at
		}
	}
}

func (p *problems) hashes(all []string, field string) {
	for _, hash := range all {
		p.require(keyHash.MatchString(hash), field, "%q is not a SHA-256 hash in hexadecimal digits", hash)
	}
}

func (p *problems) priority(priority contract.Priority, field string) {
	switch priority {
	case contract.PriorityInteractive, contract.PriorityStandard, contract.PriorityBulk:
	default:
		p.require(false, field, "%q is not Interactive, Standard or Bulk", priority)
	}
}
