// SPDX-License-Identifier: Apache-2.0

package statuswriter

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// newWriter makes a Writer whose status writes end with err and are counted.
func newWriter(budget *rate.Limiter, err error) (w *Writer, writes *int, recorded *events.FakeRecorder) {
	writes, recorded = new(int), events.NewFakeRecorder(100)
	c := interceptor.NewClient(fake.NewFakeClient(), interceptor.Funcs{
		SubResourceApply: func(context.Context, client.Client, string, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
			*writes++
			return err
		},
	})
	return New(c, NewRecorder(recorded), budget, func() time.Time { return now }), writes, recorded
}

func crm() *v1alpha1.CRM {
	return &v1alpha1.CRM{ObjectMeta: metav1.ObjectMeta{Name: "zendesk", Namespace: "contact-centre", UID: "1", Generation: 2}}
}

func condition(kind string, value metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: value, Reason: reason, Message: "Said so."}
}

func TestStatusIsWrittenOnlyWhenItChanged(t *testing.T) {
	w, writes, _ := newWriter(NewBudget(), nil)
	recheck, err := w.CRM(t.Context(), crm(), status.Result[v1alpha1.CRMStatus]{RecheckAfter: time.Minute})
	if err != nil || recheck != time.Minute || *writes != 0 {
		t.Errorf("unchanged: recheck %v, error %v, %d writes; want 1m0s, none, 0", recheck, err, *writes)
	}
	if _, err = w.CRM(t.Context(), crm(), status.Result[v1alpha1.CRMStatus]{Changed: true}); err != nil || *writes != 1 {
		t.Errorf("changed: error %v, %d writes; want none, 1", err, *writes)
	}
}

// TestBudget: figures wait when many objects change at once; a condition or a new generation never does.
func TestBudget(t *testing.T) {
	tests := map[string]struct {
		after  v1alpha1.CRMStatus
		writes int
	}{
		"figures wait":              {v1alpha1.CRMStatus{ObservedGeneration: 2, Account: "figure"}, 0},
		"a condition does not wait": {v1alpha1.CRMStatus{ObservedGeneration: 2, Conditions: []metav1.Condition{condition("Ready", "True", "Ready")}}, 1},
		"a generation does not":     {v1alpha1.CRMStatus{ObservedGeneration: 3}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w, writes, _ := newWriter(rate.NewLimiter(0, 0), nil)
			object := crm()
			object.Status.ObservedGeneration = 2
			recheck, err := w.CRM(t.Context(), object, status.Result[v1alpha1.CRMStatus]{Status: test.after, Changed: true, Numbers: true})
			if err != nil || *writes != test.writes {
				t.Errorf("error %v, %d writes; want none, %d", err, *writes, test.writes)
			}
			if waits := recheck > 0; waits != (test.writes == 0) {
				t.Errorf("comes again after %v", recheck)
			}
		})
	}
}

func TestFailedWrites(t *testing.T) {
	changed := status.Result[v1alpha1.CRMStatus]{
		Changed: true, Numbers: true,
		Status: v1alpha1.CRMStatus{Conditions: []metav1.Condition{condition("Accepted", "True", "Accepted")}},
	}
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "crms"}, "zendesk")
	for name, test := range map[string]struct{ err, want error }{
		"an object that is gone is no failure": {gone, nil},
		"any other error is":                   {context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, recorded := newWriter(NewBudget(), test.err)
			_, err := w.CRM(t.Context(), crm(), changed)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if len(recorded.Events) != 0 || !w.NumbersAt(crm()).IsZero() {
				t.Error("what was not written is told or remembered")
			}
		})
	}
}

func TestEventsOfTransitions(t *testing.T) {
	tests := map[string]struct {
		before, after []metav1.Condition
		want          string
	}{
		"what fails is a warning":                {nil, []metav1.Condition{condition("Accepted", "False", "LicenceInUse")}, "Warning LicenceInUse Accepted: Said so."},
		"what works is normal":                   {nil, []metav1.Condition{condition("Accepted", "True", "Accepted")}, "Normal Accepted Accepted: Said so."},
		"what is on its way is normal":           {nil, []metav1.Condition{condition("DispatcherAvailable", "False", "Starting")}, "Normal Starting DispatcherAvailable: Said so."},
		"what is unknown at first is no news":    {nil, []metav1.Condition{condition("Programmed", "Unknown", "NotKnown")}, ""},
		"the summary speaks when all is well":    {nil, []metav1.Condition{condition("Ready", "True", "Ready")}, "Normal Ready Ready: Said so."},
		"the summary repeats no cause":           {nil, []metav1.Condition{condition("Ready", "False", "LicenceInUse")}, ""},
		"another message alone is no news":       {[]metav1.Condition{condition("Accepted", "True", "Accepted")}, []metav1.Condition{condition("Accepted", "True", "Accepted")}, ""},
		"a condition that is gone is no news":    {[]metav1.Condition{condition("Stalled", "True", "LicenceInUse")}, nil, ""},
		"Stalled repeats the cause of another's": {nil, []metav1.Condition{condition("Stalled", "True", "LicenceInUse")}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w, _, recorded := newWriter(NewBudget(), nil)
			object := &v1alpha1.Integration{Status: v1alpha1.IntegrationStatus{Conditions: test.before}}
			result := status.Result[v1alpha1.IntegrationStatus]{Changed: true, Status: v1alpha1.IntegrationStatus{Conditions: test.after}}
			if _, err := w.Integration(t.Context(), object, result); err != nil {
				t.Fatal(err)
			}
			close(recorded.Events)
			if got := <-recorded.Events; got != test.want {
				t.Errorf("event %q, want %q", got, test.want)
			}
		})
	}
}

func TestPendingSince(t *testing.T) {
	w, _, _ := newWriter(NewBudget(), nil)
	clock := now
	w.now = func() time.Time { return clock }
	object := crm()
	since := func(confirmed bool) time.Duration {
		at := w.PendingSince(object, confirmed)
		if at.IsZero() {
			return -1
		}
		return at.Sub(now)
	}
	check := func(what string, got, want time.Duration) {
		t.Helper()
		if got != want {
			t.Errorf("%s: pending since %v, want %v (-1ns is never)", what, got, want)
		}
	}
	check("first seen", since(false), 0)
	clock = now.Add(time.Second)
	check("seen again", since(false), 0)
	object.Generation++
	check("edited", since(false), time.Second)
	check("confirmed", since(true), -1)
	clock = now.Add(2 * time.Second)
	object.UID = "another"
	check("made anew under the name", since(false), 2*time.Second)
	w.Forget(client.ObjectKeyFromObject(object))
	clock = now.Add(3 * time.Second)
	check("forgotten", since(false), 3*time.Second)
}

func TestTruncate(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"short text stays":                       {"12345678", "12345678"},
		"long text ends in dots":                 {"123456789", "12345..."},
		"no character is cut in two":             {"1234€6789", "1234..."},
		"a limit at a character's end is used":   {"12€45678", "12€..."},
		"text of many bytes and few characters ": {strings.Repeat("€", 3), "€..."},
	} {
		if got := truncate(test.in, 8); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
