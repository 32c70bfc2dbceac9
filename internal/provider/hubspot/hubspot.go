// SPDX-License-Identifier: Apache-2.0

// Package hubspot adapts the dispatcher to the HubSpot API.
package hubspot

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// HubSpot is the HubSpot CRM API. What it does not say otherwise is as with any API.
type HubSpot struct{ generic.Generic }

// Name is HubSpot.
func (HubSpot) Name() string { return "HubSpot" }
