// SPDX-License-Identifier: Apache-2.0

// Package salesforce adapts the dispatcher to the Salesforce REST API.
package salesforce

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Salesforce is the Salesforce REST API, /services/data. What it does not say otherwise is as with any API.
type Salesforce struct{ generic.Generic }

// Name is Salesforce.
func (Salesforce) Name() string { return "Salesforce" }
