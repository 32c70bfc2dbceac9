// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxBypass is how far ahead a bypass may end.
const maxBypass = 24 * time.Hour

// compileHead makes everything of a plan but its Integrations, and the verdict on the CRM. While the spec cannot be accepted the head is the previous plan's;
// without one of this very object it is nil. The licence is nil unless the CRM is accepted.
func compileHead(in Input) (*contract.Plan, *WrittenLicence, Decision) {
	licence, decision := judgeCRM(in)
	var head contract.Plan
	switch {
	case decision.OK():
		head = headOf(in.CRM, licence)
		head.Drain = head.Drain || in.Deleting
	case keepsPrevious(in):
		head = *in.Previous
		if head.Next != nil && !in.Now.Before(head.Next.From) {
			head.Limits, head.Next = head.Next.Limits, nil
		}
		head.Drain = head.Drain || in.Deleting
	default:
		return nil, nil, decision
	}
	// These come from the cluster, not from the spec: keys are rotated whatever the spec looks like.
	head.Schema = contract.PlanSchema
	head.TokenIssuers = issuers(in.Issuers)
	head.ReportReader = in.ReportReader
	head.Ledger = ledgerPast(in, &head)
	return &head, licence, decision
}

// judgeCRM tells whether the spec can be put in force, and writes its licence out if so.
func judgeCRM(in Input) (*WrittenLicence, Decision) {
	if in.LicenceHolder != nil {
		return nil, Decision{v1alpha1.ReasonLicenceInUse, fmt.Sprintf(
			"the licence of %s account %q is already spent by CRM %s: delete one of the two, or set licence.account if they are different licences",
			in.CRM.Spec.Provider, Account(in.CRM), in.LicenceHolder)}
	}
	if in.NameTaken != "" {
		return nil, Decision{v1alpha1.ReasonNameTaken, in.NameTaken +
			" exists and was not made by this operator: delete it, or recreate the CRM under another name"}
	}
	if p := in.Previous; p != nil && p.CRM.UID == string(in.CRM.UID) && previousLicence(p) != Licence(in.CRM) {
		return nil, Decision{v1alpha1.ReasonLicenceChanged, fmt.Sprintf(
			"provider and account cannot change from %s %q to %s %q, because queued calls belong to the former: set them back, or create another CRM",
			p.CRM.Provider, p.CRM.Account, in.CRM.Spec.Provider, Account(in.CRM))}
	}
	if d := judgeLimits(&in.CRM.Spec); !d.OK() {
		return nil, d
	}
	return writeOut(&in.CRM.Spec, in.Now)
}

// keepsPrevious says whether the previous plan stays in force for a CRM that is not accepted: it must be its own, and its licence nobody else's by now.
func keepsPrevious(in Input) bool {
	if in.Previous == nil || in.Previous.CRM.UID != string(in.CRM.UID) {
		return false
	}
	return in.LicenceHolder == nil || previousLicence(in.Previous) != Licence(in.CRM)
}

func previousLicence(p *contract.Plan) string { return licenceID(p.CRM.Provider, p.CRM.Account) }

// headOf translates the spec and its licence.
func headOf(crm *v1alpha1.CRM, licence *WrittenLicence) contract.Plan {
	spec := &crm.Spec
	head := contract.Plan{
		CRM: contract.CRMIdentity{
			Namespace: crm.Namespace, Name: crm.Name, UID: string(crm.UID), Generation: crm.Generation,
			Provider: string(spec.Provider), Account: Account(crm),
		},
		Endpoint:    spec.Endpoint,
		Network:     network(spec.Network),
		Credentials: credentials(spec.Credentials, spec),
		Generic:     generic(spec.Generic),
		Intake: contract.Intake{
			URL: IntakeURL(crm), Hosts: intakeHosts(crm),
			PlainHTTP:             spec.Intake.Scheme == v1alpha1.IntakeSchemeHTTP,
			CertificateFromSecret: spec.Intake.TLSSecretRef != nil,
		},
		Encryption:            encryption(spec.Storage.Encryption),
		Tracing:               tracing(spec.Tracing),
		Limits:                written(licence.Limits),
		Tiers:                 licence.Tiers,
		LimitSource:           limitSource(spec.Licence.LimitSource),
		ExternalPercent:       number(spec.Licence.ExternalPercent),
		UsageSeconds:          usageSeconds(spec),
		MaxServerDelaySeconds: int64(licence.ServerDelaySeconds),
		Ledger:                contract.LedgerPast{AfterLoss: contract.LedgerLoss(spec.Licence.AfterLedgerLoss)},

		Enforce: spec.Enforcement == v1alpha1.EnforcementEnforce || spec.Enforcement == "",
		Observe: spec.Enforcement == v1alpha1.EnforcementObserve,
		Hold:    spec.Dispatch == v1alpha1.DispatchHold,
		Drain:   spec.Dispatch == v1alpha1.DispatchDrain,
	}
	if next := licence.Next; next != nil {
		head.Next = &contract.NextLimits{From: next.From, Limits: written(next.Limits)}
	}
	return head
}

// network is left out where it is what every dispatcher does anyway.
func network(n v1alpha1.Network) contract.Network {
	if n == v1alpha1.NetworkPrivate {
		return contract.NetworkPrivate
	}
	return contract.NetworkPublic
}

// issuers in order of name, without those whose keys are not JSON: one broken answer must not keep the whole plan from being written.
func issuers(found []contract.TokenIssuer) []contract.TokenIssuer {
	usable := slices.DeleteFunc(slices.Clone(found), func(i contract.TokenIssuer) bool { return !json.Valid(i.Keys) })
	slices.SortFunc(usable, func(a, b contract.TokenIssuer) int { return cmp.Compare(a.Issuer, b.Issuer) })
	return usable
}

// bypass reads the annotation: the end of a bypass that is in force, when that changes by time alone, and what is wrong with it.
func bypass(crm *v1alpha1.CRM, now time.Time) (until *time.Time, recheck time.Duration, warnings []string) {
	value, ok := crm.Annotations[v1alpha1.AnnotationBypassUntil]
	if !ok {
		return nil, 0, nil
	}
	end, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return nil, 0, []string{fmt.Sprintf("annotation %s is ignored: %q is not an RFC 3339 time such as 2026-01-31T18:00:00Z", v1alpha1.AnnotationBypassUntil, value)}
	}
	switch ahead := end.Sub(now); {
	case ahead <= 0:
		return nil, 0, nil
	case ahead > maxBypass:
		return nil, ahead - maxBypass, []string{fmt.Sprintf("annotation %s is ignored while it is more than 24 hours ahead", v1alpha1.AnnotationBypassUntil)}
	default:
		return new(end.UTC()), ahead, nil
	}
}

// sequence is that of the previous plan while nothing differs, and above everything a dispatcher may have seen otherwise.
func sequence(p, previous *contract.Plan, reported int64) int64 {
	if previous == nil {
		return reported + 1
	}
	if previous.Sequence >= reported && previous.Sequence > 0 && bytes.Equal(content(p), content(previous)) {
		return previous.Sequence
	}
	return max(previous.Sequence, reported) + 1
}

// content is a plan's canonical JSON without its sequence.
func content(p *contract.Plan) []byte {
	c := *p
	c.Sequence = 0
	encoded, err := json.Marshal(&c)
	if err != nil {
		panic("plan: only an issuer's keys can fail to encode, and they were decoded from JSON: " + err.Error())
	}
	return encoded
}
