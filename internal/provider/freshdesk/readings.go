// SPDX-License-Identifier: Apache-2.0

package freshdesk

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the account's minute. Accounts that still have a limit by the hour send the same headers: only a declared limit of a minute takes them.
func (Freshdesk) Readings(header http.Header, _ time.Time) []dialect.Reading {
	r, ok := dialect.LimitAndRemaining(header, limitTotal, limitLeft)
	if !ok {
		return nil
	}
	r.Window = time.Minute
	return []dialect.Reading{r}
}

// Usage is told by headers alone.
func (Freshdesk) Usage() (dialect.Usage, bool) {
	return dialect.AskWhoSignsIn("/api/v2/agents/me"), true
}
