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
	r, ok := dialect.LimitAndRemaining(header, orgLimit, orgLeft)
	if !ok {
		return nil
	}
	r.Window, r.Resets = time.Minute, dialect.UntilReset(header, orgReset, now)
	return []dialect.Reading{r}
}

// Usage is told by headers alone.
func (Kustomer) Usage() (dialect.Usage, bool) {
	return dialect.AskWhoSignsIn("/v1/users/current"), true
}
