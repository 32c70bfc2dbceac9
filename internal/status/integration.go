// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// ForIntegration makes the status of an Integration from the facts and its current status. Every condition is set on the first visit:
//
//	type           status   reason                when
//	Accepted       True     Accepted              the compiler accepts the spec
//	               False    (the compiler's)      it does not; what was in force before stays
//	CredentialsResolved     as for the CRM        of its own credentials
//	               True     CRMCredentials        it has none, and its calls go out with the CRM's
//	               True     ClientCredentials     its clients bring them
//	               True     External              its calls do not go through the dispatcher
//	               Unknown  NotKnown,NotReporting as below, or it is not in force
//	Programmed     False    Pending               this generation is not confirmed within ConfirmWithin, or not accepted, or the CA of its clients is not published
//	               False    PlanRejected          the dispatcher refused the plan that has this generation
//	               Unknown  NotKnown              the dispatcher is not running, or no report came yet
//	               Unknown  NotReporting          its pod is ready and silent
//	               True     Programmed            the dispatcher enforces this generation
//	QuotaEnforced  True     Enforced              its calls are held back
//	(advice)       False    Bypassed, Shadow      they are not
//	               False    Observing             none is taken: the CRM's limits are only looked at
//	               False    External              they do not go through the dispatcher
//	               Unknown  NotKnown,NotReporting as above, or it is not in force
//	GuaranteeMet   True     GuaranteeMet          no call within the guarantee waits for the licence
//	(advice)       True     NoGuarantee           nothing is guaranteed
//	               True     KeptFree              the guarantee is kept free for calls that do not go through the dispatcher
//	               False    GuaranteeMissed       such a call has been waiting for a minute
//	               Unknown  NotKnown,NotReporting as above, or it is not in force
//	BacklogHealthy True     Healthy               none of the following
//	(advice)       False    OldestTooOld          the oldest queued call has waited for more than half of the maximum age
//	               False    DrainsTooLate         in one case of twenty the backlog takes longer than the maximum age
//	               False    CallsParked           the outcome of some calls is not known, and they cannot be repeated
//	               False    CallsDead             some calls ended without an answer
//	               Unknown  NotKnown,NotReporting as above, or it is not in force
//	CallbacksDelivered      present only where the Integration has callbacks
//	(advice)       True     Delivered             none of the following
//	               False    SigningKeyMissing     nothing can be signed with what is in the Secret
//	               False    ReceiverFailing       an endpoint has taken no callback for a while
//	               False    CallbacksGivenUp      some were given up within a day
//	               Unknown  NotKnown,NotReporting as above, or it is not in force
//	Ready          True     Ready                 Accepted, CredentialsResolved and Programmed are True
//	               else     (theirs)              the first of them that is False, else that is Unknown
//	Stalled        True     (the compiler's)      present only while nothing but an edit of the spec helps
//
// BacklogHealthy and CallbacksDelivered turn only when there has been evidence for it for Patience, GuaranteeMet for a minute.
func ForIntegration(f IntegrationFacts, current v1alpha1.IntegrationStatus, now time.Time) Result[v1alpha1.IntegrationStatus] {
	h, heardFor := f.Reported.hearing(now)
	held, holdFor := f.holds(h, current, now)
	generation := f.Integration.Generation
	if held {
		generation = current.ObservedGeneration
	}

	var c conditions
	c.set(v1alpha1.ConditionReady, verdict{})
	c.set(v1alpha1.ConditionAccepted, decided(f.Decision.Reason, f.Decision.Message))
	c.set(v1alpha1.ConditionCredentialsResolved, f.credentials(h, current.Conditions))
	if held {
		c.set(v1alpha1.ConditionProgrammed, keep(current.Conditions, v1alpha1.ConditionProgrammed))
	} else {
		c.set(v1alpha1.ConditionProgrammed, f.programmed(h, current.Conditions))
	}
	c.set(v1alpha1.ConditionQuotaEnforced, f.quotaEnforced(h, current.Conditions))
	numbers := f.figures(&current, h, now)
	weighing := newWeighing(f.Evidence, current.Conditions, now)
	f.advise(&c, weighing, &numbers, h, now)
	c.verdicts[v1alpha1.ConditionReady] = c.ready(yes(v1alpha1.ReasonReady, "The declared share is in force."),
		v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsResolved, v1alpha1.ConditionProgrammed)
	c.stalled()

	next := v1alpha1.IntegrationStatus{
		Conditions:         c.publish(current.Conditions, generation, now, false),
		ObservedGeneration: generation,
		Windows:            current.Windows, Backlog: current.Backlog, Summary: current.Summary, CallsSaved: current.CallsSaved,
	}
	if f.Plan == nil {
		next.Windows, next.Backlog, next.Summary, next.CallsSaved = nil, v1alpha1.BacklogStatus{}, v1alpha1.Summary{}, nil
	} else if entry := f.entry(); entry == nil || !entry.External {
		next.Endpoint = v1alpha1.IntakeStatus{URL: f.Plan.Intake.URL, CAConfigMap: f.CAConfigMap}
		next.Effects = effectsOf(f.Plan, entry)
	}
	publish, due := pace(c.wait(numbers.wait), !equality.Semantic.DeepEqual(next, current), f.NumbersAt, now)
	if publish {
		next.Conditions = c.publish(current.Conditions, generation, now, true)
		next.Windows, next.Backlog, next.Summary, next.CallsSaved = numbers.windows, numbers.backlog, numbers.summary, numbers.saved
	}
	return Result[v1alpha1.IntegrationStatus]{
		Status:       next,
		Changed:      !equality.Semantic.DeepEqual(next, current),
		Numbers:      publish,
		Evidence:     weighing.next,
		RecheckAfter: soonest(heardFor, holdFor, due, weighing.wait),
	}
}

// holds as in CRMFacts.
func (f *IntegrationFacts) holds(h hearing, current v1alpha1.IntegrationStatus, now time.Time) (bool, time.Duration) {
	edited := f.Decision.OK() && current.ObservedGeneration != f.Integration.Generation && f.Plan != nil
	if !edited || h == heard && (f.confirmed() || f.rejected()) {
		return false, 0
	}
	return holdsTrue(h, current.Conditions, f.PendingSince, now)
}

// report is the dispatcher's word on this very object, whatever its generation; nil if it does not know it.
func (f *IntegrationFacts) report() *contract.IntegrationReport {
	if f.Reported.Latest == nil {
		return nil
	}
	reports := f.Reported.Latest.Integrations
	n := slices.IndexFunc(reports, func(r contract.IntegrationReport) bool { return r.UID == string(f.Integration.UID) })
	if n < 0 {
		return nil
	}
	return &reports[n]
}

// entry is the Integration's own in the plan, nil if it has none.
func (f *IntegrationFacts) entry() *contract.Integration {
	if f.Plan == nil {
		return nil
	}
	n := slices.IndexFunc(f.Plan.Integrations, func(e contract.Integration) bool { return e.UID == string(f.Integration.UID) })
	if n < 0 {
		return nil
	}
	return &f.Plan.Integrations[n]
}

func (f *IntegrationFacts) confirmed() bool {
	r := f.report()
	return r != nil && r.Generation == f.Integration.Generation
}

// lacksCA: clients need a CA to call the dispatcher, and its ConfigMap is not there yet.
func (f *IntegrationFacts) lacksCA() bool {
	entry := f.entry()
	return f.CAConfigMap == "" && !f.Plan.Intake.PlainHTTP && !f.Plan.Intake.CertificateFromSecret && (entry == nil || !entry.External)
}

func (f *IntegrationFacts) rejected() bool {
	r := f.Reported.Latest.Rejected
	return r != nil && r.Sequence == f.Plan.Sequence
}

func (f *IntegrationFacts) credentials(h hearing, current []metav1.Condition) verdict {
	entry := f.entry()
	switch {
	case f.Plan == nil:
		return notRunning
	case entry == nil:
		return notKnown
	case entry.External:
		return yes(v1alpha1.ReasonExternal, "Calls do not go through the dispatcher.")
	case entry.PassesThrough():
		return yes(v1alpha1.ReasonClientCredentials, "Clients bring the CRM's credentials themselves, and their calls go out with them.")
	case entry.Credentials == nil:
		return yes(v1alpha1.ReasonCRMCredentials, "Calls go out with the CRM's credentials: see the conditions of the CRM.")
	case h != heard:
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionCredentialsResolved)
	}
	r := f.report()
	if r == nil || r.Credentials == nil {
		return notKnown
	}
	return credentialsVerdict(r.Credentials, current)
}

func (f *IntegrationFacts) programmed(h hearing, current []metav1.Condition) verdict {
	switch {
	case f.Plan == nil:
		return no(v1alpha1.ReasonPending, "Nothing is enforced: no dispatcher runs for the CRM.")
	case h != heard:
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionProgrammed)
	case f.confirmed() && f.lacksCA():
		return no(v1alpha1.ReasonPending, "The dispatcher enforces this generation; the CA that its clients have to trust is not published yet.")
	case f.confirmed():
		return yes(v1alpha1.ReasonProgrammed, "The dispatcher enforces this generation.")
	case !f.Decision.OK():
		return no(v1alpha1.ReasonPending, "The dispatcher does not enforce this generation: it is not accepted.")
	case f.rejected():
		return no(v1alpha1.ReasonPlanRejected, "The dispatcher refused the plan: "+f.Reported.Latest.Rejected.Reason)
	default:
		return no(v1alpha1.ReasonPending, "The dispatcher has not confirmed this generation yet.")
	}
}

func (f *IntegrationFacts) quotaEnforced(h hearing, current []metav1.Condition) verdict {
	if f.Plan == nil {
		return notKnown
	}
	if h != heard {
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionQuotaEnforced)
	}
	r := f.report()
	if r == nil {
		return notKnown
	}
	entry := f.entry()
	if entry != nil && entry.External {
		return no(v1alpha1.ReasonExternal, "Calls do not go through the dispatcher, so nothing holds them back; the share is kept free for them.")
	}
	return enforced(r.Enforcing, f.Plan, entry == nil || entry.Enforce, current)
}
