// SPDX-License-Identifier: Apache-2.0

// Package dynamics365 adapts the dispatcher to the Dataverse Web API of Dynamics 365.
package dynamics365

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Dynamics365 is the Dataverse Web API of Dynamics 365, /api/data. What it does not say otherwise is as with any API.
type Dynamics365 struct{ generic.Generic }

// Name is Dynamics365.
func (Dynamics365) Name() string { return "Dynamics365" }
