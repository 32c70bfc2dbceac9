// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the rolling window of the app and of the day of the account (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines). Answers
// to searches have none, those to OAuth apps none of the day.
func (HubSpot) Readings(header http.Header, _ time.Time) []dialect.Reading {
	var all []dialect.Reading
	burst, ok := dialect.LimitAndRemaining(header, burstLimit, burstLeft)
	if length, said := dialect.Units(header, burstPeriod); ok && said && length > 0 {
		burst.Window = time.Duration(length) * time.Millisecond
		all = append(all, burst)
	}
	if day, ok := dialect.LimitAndRemaining(header, dayLimit, dayLeft); ok {
		day.Day = true
		all = append(all, day)
	}
	return all
}
