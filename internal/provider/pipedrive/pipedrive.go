// SPDX-License-Identifier: Apache-2.0

// Package pipedrive adapts the dispatcher to the Pipedrive API.
package pipedrive

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Pipedrive is the Pipedrive API. What it does not say otherwise is as with any API.
type Pipedrive struct{ generic.Generic }

// Name is Pipedrive.
func (Pipedrive) Name() string { return "Pipedrive" }
