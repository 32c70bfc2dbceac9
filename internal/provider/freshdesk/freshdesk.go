// SPDX-License-Identifier: Apache-2.0

// Package freshdesk adapts the dispatcher to the Freshdesk API.
package freshdesk

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Freshdesk is the Freshdesk API, /api/v2. What it does not say otherwise is as with any API.
type Freshdesk struct{ generic.Generic }

// Name is Freshdesk.
func (Freshdesk) Name() string { return "Freshdesk" }
