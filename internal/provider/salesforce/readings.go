// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// limitInfo is the header with pairs of a name and used/limit, such as api-usage=10018/100000; api-bursts=1/750.
const limitInfo = "Sforce-Limit-Info"

// Readings are of the calls of the org in 24 hours, all applications together (REST API Developer Guide, Limit Info Header). What api-bursts means is not
// documented.
func (Salesforce) Readings(header http.Header, _ time.Time) []dialect.Reading {
	for pair := range strings.SplitSeq(header.Get(limitInfo), ";") {
		figures, found := strings.CutPrefix(strings.TrimSpace(pair), "api-usage=")
		if !found {
			continue
		}
		before, after, _ := strings.Cut(figures, "/")
		used, ok := dialect.NumberIn(before)
		limit, both := dialect.NumberIn(after)
		if ok && both {
			// A paid org may go over its limit by some.
			return []dialect.Reading{{Window: 24 * time.Hour, Limit: limit, Remaining: new(max(0, limit-used))}}
		}
	}
	return nil
}
