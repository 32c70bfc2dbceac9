// SPDX-License-Identifier: Apache-2.0

// Package zoho adapts the dispatcher to the Zoho CRM API.
package zoho

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// ZohoCRM is the Zoho CRM API, /crm/v8. What it does not say otherwise is as with any API.
type ZohoCRM struct{ generic.Generic }

// Name is ZohoCRM.
func (ZohoCRM) Name() string { return "ZohoCRM" }
