// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/fakedispatcher"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/render"
	"github.com/crmquota/crm-quota-operator/internal/status/statustest"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

const (
	crmName   = "zendesk"
	childName = "zendesk-crm-dispatcher"
	// patience is how long something may take that the manager does at once: the machine may be busy.
	patience = 30 * time.Second
)

// world is a namespace, a manager, and what a kubelet would do.
type world struct {
	t         *testing.T
	client    client.Client
	namespace string
	manager   *manager
	fake      *fakedispatcher.Dispatcher
}

func newWorld(t *testing.T) *world {
	t.Helper()
	managerLog.take()
	c := testenv.Client(t, config)
	grantRights(t, c)
	w := &world{t: t, client: c, namespace: testenv.Namespace(t, c), manager: startManager(t, newRequests())}
	t.Cleanup(w.cleanUp)
	return w
}

// restartManager ends the manager, runs between, and starts another.
func (w *world) restartManager(between func()) {
	w.t.Helper()
	w.manager.stop()
	between()
	w.manager = startManager(w.t, w.manager.requests)
}

// cleanUp leaves nothing behind that the next test's manager would work for.
func (w *world) cleanUp() {
	ctx := context.WithoutCancel(w.t.Context())
	w.manager.stop()
	if w.t.Failed() {
		w.dump(ctx)
	}
	var crms v1alpha1.CRMList
	if err := w.client.List(ctx, &crms, client.InNamespace(w.namespace)); err != nil {
		w.t.Error(err)
	}
	for i := range crms.Items {
		crm := &crms.Items[i]
		if controllerutil.RemoveFinalizer(crm, v1alpha1.FinalizerDrain) {
			_ = w.client.Update(ctx, crm)
		}
		_ = w.client.Delete(ctx, crm)
	}
}

func (w *world) dump(ctx context.Context) {
	var crms v1alpha1.CRMList
	var integrations v1alpha1.IntegrationList
	_ = w.client.List(ctx, &crms, client.InNamespace(w.namespace))
	_ = w.client.List(ctx, &integrations, client.InNamespace(w.namespace))
	for _, crm := range crms.Items {
		w.t.Logf("CRM %s generation %d:\n%s", crm.Name, crm.Generation, describe(crm.Status.Conditions))
	}
	for _, i := range integrations.Items {
		w.t.Logf("Integration %s generation %d:\n%s", i.Name, i.Generation, describe(i.Status.Conditions))
	}
	w.t.Logf("writes of the manager:\n%s", strings.Join(w.manager.requests.writesIn(w.namespace), "\n"))
	w.t.Logf("log of the manager:\n%s", managerLog.take())
}

func describe(conditions []metav1.Condition) string {
	var b strings.Builder
	for _, c := range conditions {
		fmt.Fprintf(&b, "  %-20s %-7s %-20s observed %d: %s\n", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message)
	}
	return b.String()
}

func (w *world) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.namespace, Name: name}
}

func (w *world) crm(edit func(*v1alpha1.CRM)) *v1alpha1.CRM {
	w.t.Helper()
	crm := &v1alpha1.CRM{
		ObjectMeta: metav1.ObjectMeta{Name: crmName, Namespace: w.namespace},
		Spec: v1alpha1.CRMSpec{
			Provider: v1alpha1.ProviderZendesk, Endpoint: "https://acme.zendesk.com",
			Credentials: v1alpha1.Credentials{Basic: &v1alpha1.BasicCredentials{SecretRef: v1alpha1.LocalReference{Name: "zendesk-credentials"}}},
			Licence: v1alpha1.Licence{
				// A licence of its own for each world: the manager sees them all.
				Account: w.namespace,
				Limits:  []v1alpha1.Limit{{Name: "minute", Calls: 400, WindowSeconds: 60}},
			},
		},
	}
	if edit != nil {
		edit(crm)
	}
	w.create(crm)
	return crm
}

// integration makes an Integration with a client of its own.
func (w *world) integration(name string, edit func(*v1alpha1.Integration)) *v1alpha1.Integration {
	w.t.Helper()
	integration := &v1alpha1.Integration{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace},
		Spec: v1alpha1.IntegrationSpec{
			CRMRef:  v1alpha1.LocalReference{Name: crmName},
			Clients: []v1alpha1.Client{{Name: "app", ServiceAccount: &v1alpha1.LocalReference{Name: name}}},
		},
	}
	if edit != nil {
		edit(integration)
	}
	w.create(integration)
	return integration
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// update changes an object, again when somebody else was quicker.
func (w *world) update(o client.Object, change func()) {
	w.t.Helper()
	w.eventually("update of "+o.GetName(), func() error {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change()
		return w.client.Update(w.t.Context(), o)
	})
}

func (w *world) get(name string, o client.Object) error {
	return w.client.Get(w.t.Context(), w.key(name), o)
}

// plan is the one that is written.
func (w *world) plan() *contract.Plan {
	w.t.Helper()
	var mounted corev1.ConfigMap
	if err := w.get(childName, &mounted); err != nil {
		w.t.Fatal(err)
	}
	return render.ParsePlan(mounted.Data)
}

// gone waits until the object is not there any more.
func (w *world) gone(name string, o client.Object) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%T %s is gone", o, name), func() error {
		err := w.get(name, o)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is still there (%w)", err)
	})
}

// eventually polls until check returns nil.
func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// condition waits until the condition of a CRM or an Integration, at the object's own generation, has status and reason, and checks the contract that every status holds.
func (w *world) condition(o client.Object, kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	w.t.Helper()
	var found metav1.Condition
	w.eventually(fmt.Sprintf("%s of %s is %s with %s", kind, o.GetName(), status, reason), func() error {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		c := meta.FindStatusCondition(conditionsOf(o), kind)
		switch {
		case c == nil:
			return fmt.Errorf("there is no such condition")
		case c.Status != status || c.Reason != reason || c.ObservedGeneration != o.GetGeneration():
			return fmt.Errorf("it is %s with %s for generation %d of %d: %s", c.Status, c.Reason, c.ObservedGeneration, o.GetGeneration(), c.Message)
		}
		found = *c
		return nil
	})
	if err := statustest.Check(o); err != nil {
		w.t.Errorf("the status of %s breaks the contract: %v", o.GetName(), err)
	}
	return found
}

func (w *world) ready(o client.Object) {
	w.t.Helper()
	w.condition(o, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.CRM:
		return o.Status.Conditions
	case *v1alpha1.Integration:
		return o.Status.Conditions
	}
	return nil
}

// quiet waits until the manager has written nothing in the namespace for a while, and returns what it wrote until then.
func (w *world) quiet() []string {
	w.t.Helper()
	const silence = 1500 * time.Millisecond
	seen, since := w.manager.requests.writesIn(w.namespace), time.Now()
	deadline := time.Now().Add(patience)
	for time.Since(since) < silence {
		if time.Now().After(deadline) {
			w.t.Fatalf("the manager goes on writing: %v", seen)
		}
		time.Sleep(50 * time.Millisecond)
		if now := w.manager.requests.writesIn(w.namespace); len(now) != len(seen) {
			seen, since = now, time.Now()
		}
	}
	return seen
}

// writesDuring are the manager's writes that act causes.
func (w *world) writesDuring(act func()) []string {
	w.t.Helper()
	before := w.quiet()
	act()
	return w.quiet()[len(before):]
}
