// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the calls of the org in 24 hours, all applications together (REST API Developer Guide, Limit Info Header). What api-bursts means is not
// documented.
func (Salesforce) Readings(header http.Header, _ time.Time) []dialect.Reading {
	used, limit, known := usage(header)
	if !known {
		return nil
	}
	// A paid org may go over its limit by some.
	return []dialect.Reading{{Window: 24 * time.Hour, Limit: limit, Remaining: new(max(0, limit-used))}}
}
