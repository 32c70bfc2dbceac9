// SPDX-License-Identifier: Apache-2.0

package kustomer

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the org's minute (developer.kustomer.com/docs/concepts/rate-limits). That the reset is in Unix seconds is not documented: other values are
// taken as none.
func (Kustomer) Readings(header http.Header, now time.Time) []dialect.Reading {
	r, ok := dialect.LimitAndRemaining(header, "X-Ratelimit-Limit", "X-Ratelimit-Remaining")
	if !ok {
		return nil
	}
	r.Window, r.Resets = time.Minute, dialect.UntilReset(header, "X-Ratelimit-Reset", now)
	return []dialect.Reading{r}
}
