// SPDX-License-Identifier: Apache-2.0

package intercom

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// window is what Intercom splits the minute into; the figures in headers are of it (developers.intercom.com, rate limiting).
const window = 10 * time.Second

// Readings are of the present ten seconds.
func (Intercom) Readings(header http.Header, now time.Time) []dialect.Reading {
	r, ok := dialect.LimitAndRemaining(header, "X-Ratelimit-Limit", "X-Ratelimit-Remaining")
	if !ok {
		return nil
	}
	r.Window, r.Resets = window, dialect.UntilReset(header, "X-Ratelimit-Reset", now)
	return []dialect.Reading{r}
}
