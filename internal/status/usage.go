// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// answering says whether the CRM takes calls, and for how long it has not. A dispatcher that has just begun has not sent any yet.
func (f *CRMFacts) answering(current []metav1.Condition, now time.Time) (verdict, time.Duration) {
	r := f.Reported.Latest.Answering
	if !r.Known {
		return keep(current, v1alpha1.ConditionCRMAnswering), 0
	}
	held := max(0, now.Sub(r.Since))
	switch r.Trouble {
	case contract.CRMUnreachable:
		return no(v1alpha1.ReasonUnreachable, "No connection to the CRM can be made, or it gives no answer."), held
	case contract.CRMFailing:
		return no(v1alpha1.ReasonFailing, "The CRM answers all calls that it is out of order, with a status such as 503."), held
	case contract.CRMRefusing:
		return no(v1alpha1.ReasonRefusing, "The CRM refuses all calls for quota: see LimitsMatch and UsageAccounted for why."), held
	case contract.CRMUnauthorised:
		return no(v1alpha1.ReasonCredentialsRefused, "The CRM answers calls with 401: it does not take the credentials of the Secret."), held
	default:
		return yes(v1alpha1.ReasonAnswering, "The CRM takes calls."), 0
	}
}

// unanswered says that the CRM does not tell what is used when it is asked, if that is so.
func (f *CRMFacts) unanswered() string {
	u := f.Reported.Latest.Usage
	switch {
	case u == nil || u.Status == http.StatusOK:
		return ""
	case u.Status == 0:
		return fmt.Sprintf(" It was asked by %s and gave no answer.", u.Call)
	case u.Status == http.StatusForbidden:
		return fmt.Sprintf(" It was asked by %s and answered 403: give the credentials the permission that this call needs.", u.Call)
	default:
		return fmt.Sprintf(" It was asked by %s and answered %d.", u.Call, u.Status)
	}
}

// appsOf rounds what applications have used, in order of name.
func appsOf(published []v1alpha1.AppStatus, apps []contract.AppUse, limit int64) ([]v1alpha1.AppStatus, time.Duration) {
	var out []v1alpha1.AppStatus
	waits := make([]time.Duration, 0, len(apps)+1)
	for _, a := range apps {
		if slices.ContainsFunc(out, func(o v1alpha1.AppStatus) bool { return o.Name == a.Name }) {
			continue // two names that are the same up to where they are cut
		}
		var old *int64
		if i := slices.IndexFunc(published, func(p v1alpha1.AppStatus) bool { return p.Name == a.Name }); i >= 0 {
			old = published[i].Used
		}
		used, wait := twentieths(old, a.Used, limit)
		out, waits = append(out, v1alpha1.AppStatus{Name: a.Name, Used: used}), append(waits, wait)
	}
	if len(out) != len(published) {
		waits = append(waits, quickly)
	}
	slices.SortFunc(out, func(a, b v1alpha1.AppStatus) int { return cmp.Compare(a.Name, b.Name) })
	return out, soonest(waits...)
}
