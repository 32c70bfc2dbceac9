// SPDX-License-Identifier: Apache-2.0

// Package plan compiles CRM and Integration objects into the dispatch plan of one CRM, and says of each object whether it is in force and why not. It is a
// pure function of the objects, the issuers' public keys, the previous plan and the time: what the previous plan grants is never taken by somebody else's
// edit.
package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Input is everything a plan is made from. Compile changes none of it.
type Input struct {
	CRM *v1alpha1.CRM // required
	// Integrations in any order. Those of another CRM or namespace, and those being deleted, are left out.
	Integrations []v1alpha1.Integration
	// LicenceHolder is another CRM that spends this licence, as Holder says.
	LicenceHolder *types.NamespacedName
	// NameTaken is kind and name of an object that the operator did not make but would have to, for example "StatefulSet zendesk-crm-dispatcher".
	NameTaken string
	Issuers   []contract.TokenIssuer
	// ReportReader as in contract.Plan.
	ReportReader string
	// Previous is the plan last written for the CRM of this namespace and name, nil if there is none.
	Previous *contract.Plan
	// ReportedSequence is the highest sequence that the dispatcher says it has seen, 0 if unknown. A plan at or below it that differs would be refused.
	ReportedSequence int64
	// Ledger is what is known of the record of what was sent.
	Ledger Ledger
	// Deleting: the CRM is being deleted with policy Drain.
	Deleting bool
	Now      time.Time
}

// Decision says whether an object's spec is in force. Reason is one of the reasons of condition Accepted; Message is stable text for users.
type Decision struct {
	Reason, Message string
}

// OK says that the spec is accepted.
func (d Decision) OK() bool { return d.Reason == v1alpha1.ReasonAccepted }

// Output is a compiled plan and a verdict on every object that went into it.
type Output struct {
	CRM Decision
	// Integrations holds a decision for each Integration that refers to the CRM and is not being deleted.
	Integrations map[types.NamespacedName]Decision
	// Plan is what the dispatcher shall enforce; nil when nothing may run for this CRM. It has the Sequence of the previous plan when the two are the same.
	Plan *contract.Plan
	// Licence is that of the spec, written out; nil unless the CRM is accepted.
	Licence *WrittenLicence
	// Warnings are what was ignored and leaves the spec accepted.
	Warnings []string
	// RecheckAfter is when time alone changes the outcome; 0 for never.
	RecheckAfter time.Duration
}

// Compile makes the plan. An object that cannot be accepted keeps what the previous plan gave it.
func Compile(in Input) Output {
	head, licence, decision := compileHead(in)
	out := Output{CRM: decision, Licence: licence}
	if head == nil {
		out.Integrations = refuseAll(in, decision)
		return out
	}
	admitted := admitAll(in, head)
	head.Integrations, out.Integrations = admitted.entries, admitted.decisions
	head.BypassUntil, out.RecheckAfter, out.Warnings = bypass(in.CRM, in.Now)
	out.RecheckAfter = sooner(out.RecheckAfter, admitted.recheck)
	if head.Next != nil {
		out.RecheckAfter = sooner(out.RecheckAfter, head.Next.From.Sub(in.Now))
	}
	head.Sequence = sequence(head, in.Previous, in.ReportedSequence)
	out.Plan = head
	return out
}

// sooner of two waits, of which 0 means never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// MissingCRM is the decision on an Integration whose CRM does not exist.
func MissingCRM(integration *v1alpha1.Integration) Decision {
	return Decision{
		Reason:  v1alpha1.ReasonCRMNotFound,
		Message: "crmRef: there is no CRM " + integration.Spec.CRMRef.Name + " in namespace " + integration.Namespace + "; create it, or recreate this Integration with another crmRef",
	}
}

// refuseAll is what happens to the Integrations of a CRM for which nothing may run.
func refuseAll(in Input, crm Decision) map[types.NamespacedName]Decision {
	refused := Decision{
		Reason:  v1alpha1.ReasonCRMNotAccepted,
		Message: "CRM " + in.CRM.Name + " is not accepted (" + crm.Reason + "): see its conditions",
	}
	decisions := make(map[types.NamespacedName]Decision)
	for _, i := range members(in) {
		decisions[nameOf(i)] = refused
	}
	return decisions
}

func nameOf(i *v1alpha1.Integration) types.NamespacedName {
	return types.NamespacedName{Namespace: i.Namespace, Name: i.Name}
}
