// SPDX-License-Identifier: Apache-2.0

// Package kustomer adapts the dispatcher to the Kustomer API.
package kustomer

import "github.com/crmquota/crm-quota-operator/internal/provider/generic"

// Kustomer is the Kustomer API, /v1. What it does not say otherwise is as with any API.
type Kustomer struct{ generic.Generic }

// Name is Kustomer.
func (Kustomer) Name() string { return "Kustomer" }
