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
	r, ok := dialect.LimitAndRemaining(header, windowLimit, windowLeft)
	if !ok {
		return nil
	}
	r.Window, r.Resets = window, dialect.UntilReset(header, windowReset, now)
	return []dialect.Reading{r}
}

// Usage is told by headers alone.
func (Intercom) Usage() (dialect.Usage, bool) { return dialect.AskWhoSignsIn("/me"), true }
