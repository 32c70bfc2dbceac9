// SPDX-License-Identifier: Apache-2.0

package pipedrive

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the two seconds of a token (pipedrive.readme.io/docs/core-api-concepts-rate-limiting), and of the company's tokens of the day, whose headers
// are not documented and sometimes missing.
func (Pipedrive) Readings(header http.Header, _ time.Time) []dialect.Reading {
	var all []dialect.Reading
	if burst, ok := dialect.LimitAndRemaining(header, burstLimit, burstLeft); ok {
		burst.Window, burst.Resets = 2*time.Second, dialect.Seconds(header, burstReset)
		all = append(all, burst)
	}
	if day, ok := dialect.LimitAndRemaining(header, dayLimit, dayLeft); ok {
		day.Day = true
		all = append(all, day)
	}
	return all
}

// Usage is told by headers alone.
func (Pipedrive) Usage() (dialect.Usage, bool) {
	return dialect.AskWhoSignsIn("/api/v1/users/me"), true
}
