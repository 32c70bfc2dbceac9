// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are of the account's rate, which is counted by the minute (developer.zendesk.com/api-reference/introduction/rate-limits). Headers of single
// endpoints are left alone: they name no operation.
func (Zendesk) Readings(header http.Header, _ time.Time) []dialect.Reading {
	r, ok := dialect.LimitAndRemaining(header, "X-Rate-Limit", "X-Rate-Limit-Remaining")
	if !ok {
		return nil
	}
	r.Window = time.Minute
	// The ratelimit headers are of the account only where they agree with the others.
	if limit, said := dialect.Number(header, "Ratelimit-Limit"); said && limit == r.Limit {
		r.Resets = dialect.Seconds(header, "Ratelimit-Reset")
	}
	return []dialect.Reading{r}
}

// Usage is told by headers alone.
func (Zendesk) Usage() (dialect.Usage, bool) {
	return dialect.AskWhoSignsIn("/api/v2/users/me.json"), true
}
