// SPDX-License-Identifier: Apache-2.0

// Package intercom adapts the dispatcher to the Intercom API.
package intercom

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Intercom is the Intercom API. What it does not say otherwise is as with any API.
type Intercom struct{ generic.Generic }

// Name is Intercom.
func (Intercom) Name() string { return "Intercom" }
