// SPDX-License-Identifier: Apache-2.0

// Package servicenow adapts the dispatcher to the ServiceNow REST API.
package servicenow

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// ServiceNow is the ServiceNow Table API, /api/now. What it does not say otherwise is as with any API.
type ServiceNow struct{ generic.Generic }

// Name is ServiceNow.
func (ServiceNow) Name() string { return "ServiceNow" }
