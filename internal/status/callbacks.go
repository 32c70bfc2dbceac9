// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// givenUpFor is how long a callback that was given up is worth a word.
const givenUpFor = 24 * time.Hour

// callbacks says whether receivers take their callbacks, and for how long they have not.
func callbacks(r *contract.CallbacksReport, w *weighing, now time.Time) (verdict, time.Duration) {
	switch {
	case r == nil:
		return notKnown, 0
	case r.KeyTrouble != "":
		return no(v1alpha1.ReasonSigningKeyMissing, "Callbacks wait, because they cannot be signed: "+r.KeyTrouble+"."), 0
	case len(r.Failing) > 0:
		f := r.Failing[0]
		return no(v1alpha1.ReasonReceiverFailing, fmt.Sprintf("Endpoint %s has taken no callback since %s: %s. Each is tried for a day.",
			f.Endpoint, minuteOf(new(metav1.NewTime(f.Since))), f.Detail)), now.Sub(f.Since)
	}
	if r.GivenUpAt != nil {
		if left := r.GivenUpAt.Add(givenUpFor).Sub(now); left > 0 {
			w.wait = soonest(w.wait, left)
			return no(v1alpha1.ReasonCallbacksGivenUp, fmt.Sprintf("Callbacks were given up, the last one at %s: look at the results of the calls in question.",
				minuteOf(new(metav1.NewTime(*r.GivenUpAt))))), 0
		}
	}
	return yes(v1alpha1.ReasonDelivered, "Receivers take their callbacks."), 0
}
