// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// ForCRM makes the status of a CRM from the facts and its current status. Every condition is set on the first visit:
//
//	type                  status   reason                when
//	Accepted              True     Accepted              the compiler accepts the spec
//	                      False    (the compiler's)      it does not; what was in force before stays
//	CredentialsResolved   Unknown  NotKnown              nothing runs, no report came yet, or no plan is in force
//	                      Unknown  NotReporting          the pod is ready and silent
//	                      True     Resolved              the dispatcher holds every credential
//	                      Unknown  NotKnown              the first access token has not come yet, and nothing else was known before
//	                      False    TokenUnavailable      the token endpoint gives no usable answer
//	                      False    TokenRefused          it refuses the client
//	                      False    ReauthorizationNeeded it does not take the refresh token any more
//	                      False    HostNotAllowed        the Secret does not list the endpoint's or the token endpoint's host
//	                      False    SecretNotFound        the Secret or a key in it is missing or cannot be used
//	                      False    EncryptionKeyMissing  a key that encrypts what is stored of calls is missing
//	                      False    CertificateInvalid    the TLS Secret is missing or cannot be used
//	DispatcherAvailable   Unknown  NotKnown              nothing runs because the CRM is not accepted
//	                      False    StoreFailed           it reports that it cannot accept calls durably
//	                      False    VolumePending         the pod is not ready and the claim not bound
//	                      False    Starting              the pod is not ready
//	                      Unknown  NotReporting          the pod is ready and silent
//	                      True     Available             the pod is ready and reports that it accepts calls
//	Programmed            False    Pending               this generation is not confirmed within ConfirmWithin, or not accepted
//	                      False    PlanRejected          the dispatcher refused the plan
//	                      Unknown  NotKnown,NotReporting as above
//	                      True     Programmed            the dispatcher enforces this generation
//	EndpointResolved      True     Resolved              the endpoint's host can be looked up, and may be called
//	(advice)              False    EndpointUnresolvable  it cannot be looked up
//	                      False    AddressNotAllowed     it has no address to which spec.network allows connections
//	                      Unknown  NotKnown,NotReporting not tried yet, or as above
//	CRMAnswering          True     Answering             the CRM takes calls
//	(advice)              False    Unreachable           no connection is made, or no answer comes
//	                      False    Failing               it answers that it is out of order
//	                      False    Refusing              it refuses all calls for quota
//	                      False    CredentialsRefused    it does not take the credentials
//	                      Unknown  NotKnown,NotReporting none was sent yet, or as above
//	QuotaEnforced         True     Enforced              calls are held back
//	(advice)              False    Observing             none is taken: the limits are only looked at
//	                      False    Bypassed, Shadow      they are not
//	                      Unknown  NotKnown,NotReporting as above
//	BudgetOnTrack         True     OnTrack               no long limit is likely to be used up before it is renewed
//	(advice)              False    LimitUsedUp           one is used up
//	                      False    ExhaustionForecast    one is likely to be
//	                      Unknown  NotKnown,NotReporting as above
//	LicenceAdequate       True     Adequate              the dispatcher finds the licence large enough
//	(advice)              False    DemandExceedsLicence  it does not
//	                      Unknown  NotKnown              it has seen too little yet, or as above
//	                      Unknown  NotReporting          as above
//	BacklogHealthy        True     Healthy               no integration's backlog is in trouble
//	(advice)              False    OldestTooOld, DrainsTooLate, CallsParked, CallsDead: as of the Integration, the first of these decides
//	                      Unknown  NotKnown,NotReporting as above
//	LedgerTrusted         True     Trusted               the dispatcher knows itself what was sent
//	(advice)              False    LedgerLost            its volume was lost, less than one longest window ago
//	                      False    VolumeRestored        the same, by putting it back to an earlier state
//	                      Unknown  NotKnown,NotReporting as above
//	LicenceValid          True     Valid                 the licence ends later than in endingSoon, or another one follows, or no end is declared
//	(advice)              False    LicenceEnding         it ends within endingSoon
//	                      False    LicenceEnded          it has ended; its limits stay in force
//	LimitsMatch           True     LimitsMatch           the CRM reports the limits it tells of as they are declared
//	(advice)              False    LimitsDiffer          it reports another size: the message has both, and the field to change
//	                      False    HiddenLimit           it keeps one that is not declared: the message has the limit to declare
//	                      Unknown  NotKnown              its answers have not told yet, or not by headers that are known; or as above
//	                      Unknown  Contradictory         they contradict themselves
//	                      Unknown  NotReporting          as above
//	UsageAccounted        True     Accounted             others use no notable part of a limit beyond what is declared for them
//	(advice)              False    UndeclaredUse         they use a twentieth of a limit more: the message has the figures, and the field to change
//	                      Unknown  NotKnown,NotReporting the CRM's answers have not told yet, or as above
//	Ready                 True     Ready, Held, Draining, Observing: the first four are True
//	                      else     (theirs)              the first of them that is False, else that is Unknown
//	Stalled               True     (the compiler's)      present only while nothing but an edit of the spec helps
//
// CRMAnswering, BudgetOnTrack, LicenceAdequate, BacklogHealthy, LimitsMatch and UsageAccounted turn only when there has been evidence for it for Patience.
func ForCRM(f CRMFacts, current v1alpha1.CRMStatus, now time.Time) Result[v1alpha1.CRMStatus] {
	h, heardFor := f.Reported.hearing(now)
	held, holdFor := f.holds(h, current, now)
	generation := f.CRM.Generation
	if held {
		generation = current.ObservedGeneration
	}

	var c conditions
	c.set(v1alpha1.ConditionReady, verdict{})
	c.set(v1alpha1.ConditionAccepted, decided(f.Compiled.CRM.Reason, f.Compiled.CRM.Message))
	c.set(v1alpha1.ConditionCredentialsResolved, f.credentials(h, current.Conditions))
	c.set(v1alpha1.ConditionDispatcherAvailable, f.available(h, current.Conditions))
	if held {
		c.set(v1alpha1.ConditionProgrammed, keep(current.Conditions, v1alpha1.ConditionProgrammed))
	} else {
		c.set(v1alpha1.ConditionProgrammed, f.programmed(h, current.Conditions))
	}
	c.set(v1alpha1.ConditionEndpointResolved, f.endpoint(h, current.Conditions))
	c.set(v1alpha1.ConditionQuotaEnforced, f.quotaEnforced(h, current.Conditions))
	numbers := f.figures(&current, h, now)
	weighing := newWeighing(f.Evidence, current.Conditions, now)
	f.advise(&c, weighing, &numbers, h, now)
	c.verdicts[v1alpha1.ConditionReady] = c.ready(f.ready(), v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsResolved,
		v1alpha1.ConditionDispatcherAvailable, v1alpha1.ConditionProgrammed)
	c.stalled()

	next := v1alpha1.CRMStatus{
		Conditions:         c.publish(current.Conditions, generation, now, false),
		ObservedGeneration: generation,
		Integrations:       new(f.acceptedIntegrations()),
		Licence:            current.Licence,
		Windows:            current.Windows, LearntLimits: current.LearntLimits, Backlog: current.Backlog, Summary: current.Summary,
	}
	if l := f.Compiled.Licence; l != nil && !held {
		next.Licence = licenceStatus(l)
	}
	if p := f.Compiled.Plan; p != nil {
		next.Account = p.CRM.Account
		next.Intake = v1alpha1.IntakeStatus{URL: p.Intake.URL, CAConfigMap: f.CAConfigMap}
	} else {
		next.Windows, next.LearntLimits, next.Backlog, next.Summary = nil, nil, v1alpha1.BacklogStatus{}, v1alpha1.Summary{}
	}
	publish, due := pace(c.wait(numbers.wait), !equality.Semantic.DeepEqual(next, current), f.NumbersAt, now)
	if publish {
		next.Conditions = c.publish(current.Conditions, generation, now, true)
		next.Windows, next.LearntLimits, next.Backlog, next.Summary = numbers.windows, numbers.learnt, numbers.backlog, numbers.summary
	}
	return Result[v1alpha1.CRMStatus]{
		Status:       next,
		Changed:      !equality.Semantic.DeepEqual(next, current),
		Numbers:      publish,
		Evidence:     weighing.next,
		RecheckAfter: soonest(heardFor, holdFor, due, weighing.wait),
	}
}

// holds says whether the status goes on speaking of the generation before, so that an edit that is confirmed at once costs one write; and for how long.
func (f *CRMFacts) holds(h hearing, current v1alpha1.CRMStatus, now time.Time) (bool, time.Duration) {
	edited := f.Compiled.CRM.OK() && current.ObservedGeneration != f.CRM.Generation && f.Compiled.Plan != nil
	if !edited || h == heard && (f.confirmed() || f.rejected()) {
		return false, 0
	}
	return holdsTrue(h, current.Conditions, f.PendingSince, now)
}

func holdsTrue(h hearing, current []metav1.Condition, since, now time.Time) (bool, time.Duration) {
	if h == silent || !meta.IsStatusConditionTrue(current, v1alpha1.ConditionProgrammed) {
		return false, 0
	}
	left := ConfirmWithin
	if !since.IsZero() {
		left -= now.Sub(since)
	}
	return left > 0 || h == expected, max(left, 0)
}

func (f *CRMFacts) confirmed() bool {
	r := f.Reported.Latest
	return r.CRMUID == string(f.CRM.UID) && r.Generation == f.CRM.Generation
}

func (f *CRMFacts) rejected() bool {
	r := f.Reported.Latest.Rejected
	return r != nil && r.Sequence == f.Compiled.Plan.Sequence
}

func decided(reason, message string) verdict {
	if reason == v1alpha1.ReasonAccepted {
		return yes(reason, message)
	}
	return no(reason, message)
}

func (f *CRMFacts) credentials(h hearing, current []metav1.Condition) verdict {
	if f.Compiled.Plan == nil {
		return notRunning
	}
	if h != heard {
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionCredentialsResolved)
	}
	r := f.Reported.Latest
	if r.Sequence == 0 {
		return notKnown // without a plan it does not know which credentials to look for
	}
	verdict := credentialsVerdict(&r.Credentials, current)
	switch {
	case verdict.status != metav1.ConditionTrue:
		return verdict
	case r.Credentials.EncryptionKeyMissing != "":
		return no(v1alpha1.ReasonEncryptionKeyMissing,
			"No call is queued, and those that cannot be read wait: "+r.Credentials.EncryptionKeyMissing+". Calls that somebody waits for go on.")
	case r.Certificate.Error != "":
		return no(v1alpha1.ReasonCertificateInvalid, r.Certificate.Error)
	default:
		return verdict
	}
}

// credentialsVerdict says whether calls can be signed, of the CRM's credentials or an integration's own.
func credentialsVerdict(r *contract.CredentialsReport, current []metav1.Condition) verdict {
	switch {
	case r.HostNotAllowed:
		return no(v1alpha1.ReasonHostNotAllowed, r.Message)
	case r.Token == contract.TokenPending: // after a restart of the dispatcher
		return keep(current, v1alpha1.ConditionCredentialsResolved)
	case r.Token != "":
		return no(tokenReasons[r.Token], r.Message)
	case !r.Resolved:
		return no(v1alpha1.ReasonSecretNotFound, r.Message)
	case r.Refused:
		return no(v1alpha1.ReasonCredentialsRefused, "The CRM answers calls with 401: it does not take the credentials of the Secret. Queued calls are held back until it does.")
	default:
		return yes(v1alpha1.ReasonResolved, "The dispatcher holds every credential that the spec names.")
	}
}

// tokenReasons are those of troubles with access tokens.
var tokenReasons = map[contract.TokenTrouble]string{
	contract.TokenUnavailable: v1alpha1.ReasonTokenUnavailable,
	contract.TokenRefused:     v1alpha1.ReasonTokenRefused,
	contract.TokenReauthorize: v1alpha1.ReasonReauthorizationNeeded,
}

func (f *CRMFacts) available(h hearing, current []metav1.Condition) verdict {
	r := f.Reported.Latest
	switch {
	case f.Compiled.Plan == nil:
		return notRunning
	case h == heard && !r.Ready && r.Sequence > 0:
		return no(v1alpha1.ReasonStoreFailed, "The dispatcher cannot accept calls durably: "+r.NotReady)
	case !f.PodReady && f.Claim != corev1.ClaimBound:
		return no(v1alpha1.ReasonVolumePending, "The volume claim is not bound: see its events.")
	case !f.PodReady || h == heard && !r.Ready:
		return no(v1alpha1.ReasonStarting, "The dispatcher's pod is not ready yet: if this lasts, see its events and logs.")
	case h != heard:
		return doubt(h, f.Reported.Failure, true, current, v1alpha1.ConditionDispatcherAvailable)
	default:
		return yes(v1alpha1.ReasonAvailable, "The dispatcher accepts calls.")
	}
}

func (f *CRMFacts) programmed(h hearing, current []metav1.Condition) verdict {
	switch {
	case f.Compiled.Plan == nil:
		return no(v1alpha1.ReasonPending, "Nothing is enforced: the CRM is not accepted.")
	case h != heard:
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionProgrammed)
	case f.confirmed():
		return yes(v1alpha1.ReasonProgrammed, "The dispatcher enforces this generation.")
	case !f.Compiled.CRM.OK():
		return no(v1alpha1.ReasonPending, "The dispatcher goes on with an earlier generation: this one is not accepted.")
	case f.rejected():
		return no(v1alpha1.ReasonPlanRejected, "The dispatcher refused the plan: "+f.Reported.Latest.Rejected.Reason)
	default:
		return no(v1alpha1.ReasonPending, "The dispatcher has not confirmed this generation yet.")
	}
}

func (f *CRMFacts) endpoint(h hearing, current []metav1.Condition) verdict {
	if f.Compiled.Plan == nil {
		return notRunning
	}
	if h != heard {
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionEndpointResolved)
	}
	switch e := f.Reported.Latest.Endpoint; {
	case e.Resolved:
		return yes(v1alpha1.ReasonResolved, "The endpoint's host can be looked up.")
	case e.NotAllowed:
		return no(v1alpha1.ReasonAddressNotAllowed, "No call is sent: "+e.Message+".")
	case e.Message != "":
		return no(v1alpha1.ReasonEndpointUnresolvable, "The endpoint cannot be reached by name: "+e.Message)
	default:
		return notKnown
	}
}

func (f *CRMFacts) quotaEnforced(h hearing, current []metav1.Condition) verdict {
	if f.Compiled.Plan == nil {
		return notRunning
	}
	if h != heard {
		return doubt(h, f.Reported.Failure, f.PodReady, current, v1alpha1.ConditionQuotaEnforced)
	}
	v := enforced(f.Reported.Latest.Enforcing, f.Compiled.Plan, f.Compiled.Plan.Enforce, current)
	v.message = strings.Join(append([]string{v.message}, f.Compiled.Warnings...), " But ")
	return v
}

// enforced reads the dispatcher's word; the plan tells the reason. A plan that enforces while the dispatcher does not yet keeps the reason there was.
func enforced(enforcing bool, p *contract.Plan, enforce bool, current []metav1.Condition) verdict {
	switch was := keep(current, v1alpha1.ConditionQuotaEnforced).reason; {
	case enforcing:
		return yes(v1alpha1.ReasonEnforced, "Calls are held back by the declared limits.")
	case p.Observe, enforce && was == v1alpha1.ReasonObserving:
		return no(v1alpha1.ReasonObserving, "No call is taken or held back: the dispatcher only asks the CRM what is used of its limits.")
	case p.BypassUntil != nil, enforce && was == v1alpha1.ReasonBypassed:
		return no(v1alpha1.ReasonBypassed, "Every call is forwarded at once until the time in annotation "+v1alpha1.AnnotationBypassUntil+".")
	default:
		return no(v1alpha1.ReasonShadow, "Every call is forwarded at once; what would have been held back is only counted.")
	}
}

// ready is the verdict when every health condition is True.
func (f *CRMFacts) ready() verdict {
	switch p := f.Compiled.Plan; {
	case p != nil && p.Drain:
		return yes(v1alpha1.ReasonDraining, "New calls are refused; what is queued is sent.")
	case p != nil && p.Hold:
		return yes(v1alpha1.ReasonHeld, "Calls are accepted and queued; nothing is sent.")
	case p != nil && p.Observe:
		return yes(v1alpha1.ReasonObserving, "The CRM is asked what is used of its limits; calls go to it directly, and none is taken here.")
	default:
		return yes(v1alpha1.ReasonReady, "Calls are accepted and sent as the limits allow.")
	}
}

func (f *CRMFacts) acceptedIntegrations() int32 {
	var n int32
	for _, d := range f.Compiled.Integrations {
		if d.OK() {
			n++
		}
	}
	return n
}
