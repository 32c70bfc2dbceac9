// SPDX-License-Identifier: Apache-2.0

// Package controllers wires the control plane: the CRM and the Integration controller, the collector of reports between them, and what they read.
package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/compiled"
	"github.com/crmquota/crm-quota-operator/controllers/crm"
	"github.com/crmquota/crm-quota-operator/controllers/index"
	"github.com/crmquota/crm-quota-operator/controllers/integration"
	"github.com/crmquota/crm-quota-operator/controllers/issuer"
	"github.com/crmquota/crm-quota-operator/controllers/statuswriter"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
)

// eventSource names the operator in events. With the host's name it must not exceed 128 characters.
const eventSource = "crm-quota-operator"

// Options of the control plane.
type Options struct {
	// DispatcherImage is what dispatchers run.
	DispatcherImage string
	// Token is what the manager shows to dispatchers.
	Token usage.TokenFile
	// Periods of asking dispatchers; usage.DefaultPeriods in production.
	Periods usage.Periods
}

// Scheme knows Kubernetes' own kinds and this project's.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// Setup adds the control plane to a manager that was made with Scheme, CacheOptions and ClientOptions.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	if err := index.Register(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	reader, err := options.Token.Subject()
	if err != nil {
		return fmt.Errorf("who am I: %w", err)
	}
	keys, err := issuer.New(mgr.GetConfig())
	if err != nil {
		return err
	}
	if err := keys.Refresh(ctx); err != nil {
		// Plans go on with the keys they have; Start tries again.
		log.FromContext(ctx).Error(err, "Public keys of service account tokens not read")
	}
	collector := usage.NewCollector(options.Token.Read, options.Periods)
	for _, runnable := range []interface {
		Start(context.Context) error
	}{keys, collector} {
		if err := mgr.Add(runnable); err != nil {
			return err
		}
	}
	board := compiled.NewBoard()
	recorder := statuswriter.NewRecorder(mgr.GetEventRecorder(eventSource))
	budget := statuswriter.NewBudget()
	crms := &crm.Reconciler{
		Settings: crm.Settings{Image: options.DispatcherImage, ReportReader: reader, ManagerNamespace: usage.Namespace(reader)},
		Client:   mgr.GetClient(), Live: mgr.GetAPIReader(),
		Usage: collector, Issuer: keys, Board: board, Events: recorder, Now: time.Now,
		Status: statuswriter.New(mgr.GetClient(), recorder, budget, time.Now),
	}
	if err := crms.Setup(mgr); err != nil {
		return fmt.Errorf("CRM controller: %w", err)
	}
	integrations := &integration.Reconciler{
		Client: mgr.GetClient(), Usage: collector, Board: board, Now: time.Now,
		Status: statuswriter.New(mgr.GetClient(), recorder, budget, time.Now),
	}
	if err := integrations.Setup(mgr); err != nil {
		return fmt.Errorf("integration controller: %w", err)
	}
	return nil
}
