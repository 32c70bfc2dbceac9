// SPDX-License-Identifier: Apache-2.0

// Package index names the field indexes of the manager's cache and registers them.
package index

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

const (
	// IntegrationCRM finds Integrations by the name of their CRM, within a namespace.
	IntegrationCRM = "spec.crmRef.name"
	// CRMLicence finds CRMs of all namespaces by the licences they declare or spend, see plan.Licences.
	CRMLicence = "licence"
)

// Register adds the indexes to a cache that has not been started.
func Register(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.Integration{}, IntegrationCRM, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Integration).Spec.CRMRef.Name}
	})
	if err != nil {
		return fmt.Errorf("index %s: %w", IntegrationCRM, err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.CRM{}, CRMLicence, func(o client.Object) []string {
		return plan.Licences(o.(*v1alpha1.CRM))
	})
	if err != nil {
		return fmt.Errorf("index %s: %w", CRMLicence, err)
	}
	return nil
}
