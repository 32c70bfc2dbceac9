// SPDX-License-Identifier: Apache-2.0

package hubspot

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Usage is what all private apps of the account have used of its day (developers.hubspot.com/docs/api-reference/account-info-api-usage-v3). It also tells when the
// day ends, which depends on the account's time zone and no header has.
func (HubSpot) Usage() (dialect.Usage, bool) {
	return dialect.Usage{
		Ask:   dialect.Request{Method: http.MethodGet, Target: "/account-info/v3/api-usage/daily/private-apps"},
		Every: 5 * time.Minute, Read: readUsage,
	}, true
}

func readUsage(body []byte, now time.Time) []dialect.Reading {
	var usage struct {
		Results []struct {
			Name    string    `json:"name"`
			Limit   float64   `json:"usageLimit"`
			Current float64   `json:"currentUsage"`
			Resets  time.Time `json:"resetsAt"`
			Status  string    `json:"fetchStatus"`
		} `json:"results"`
	}
	if json.Unmarshal(body, &usage) != nil {
		return nil
	}
	for _, r := range usage.Results {
		limit, told := dialect.UnitsIn(r.Limit)
		used, also := dialect.UnitsIn(r.Current)
		if r.Name != "private-apps-api-calls-daily" || r.Status != "" && r.Status != "SUCCESS" || !told || !also || limit == 0 {
			continue
		}
		reading := dialect.Reading{Day: true, Limit: limit, Remaining: new(max(0, limit-used))}
		if until := r.Resets.Sub(now); until > 0 && until <= 25*time.Hour { // a day has 25 hours when clocks are put back
			reading.Resets = until
		}
		return []dialect.Reading{reading}
	}
	return nil
}
