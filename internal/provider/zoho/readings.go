// SPDX-License-Identifier: Apache-2.0

package zoho

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the credits that are left of the last 24 hours. Zoho sends them only once half of the credits are used, and never says how many there are.
func (ZohoCRM) Readings(header http.Header, _ time.Time) []dialect.Reading {
	left, ok := dialect.Units(header, creditsLeft)
	if !ok {
		return nil
	}
	return []dialect.Reading{{Window: 24 * time.Hour, Remaining: new(left)}}
}
