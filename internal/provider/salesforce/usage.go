// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// versionPath is of a version that all orgs have: what we ask is answered alike by each.
const versionPath = "/services/data/v60.0"

const limitsPath = versionPath + "/limits"

// Usage is the limits resource (REST API Developer Guide, Limits). It needs the permission View Setup and Configuration, and what it tells may be five minutes old;
// the header of its answer is of the moment, and comes without the permission, too.
func (Salesforce) Usage() (dialect.Usage, bool) {
	return dialect.Usage{
		Ask:   dialect.Request{Operation: "Limits", Method: http.MethodGet, Target: limitsPath},
		Every: 5 * time.Minute, Read: readLimits, Logs: &eventLogs,
	}, true
}

// readLimits reads the org's calls of 24 hours. Besides the sum there is an object for each connected app; its Max is 0 unless the org has given the app a quota of
// its own, and then nothing is told of what it uses: that is what event logs are for.
func readLimits(body []byte, _ time.Time) []dialect.Reading {
	var limits struct {
		Daily map[string]json.RawMessage `json:"DailyApiRequests"`
	}
	if json.Unmarshal(body, &limits) != nil {
		return nil
	}
	most, left, ok := maxAndRemaining(limits.Daily["Max"], limits.Daily["Remaining"])
	if !ok || most == 0 {
		return nil
	}
	r := dialect.Reading{Window: 24 * time.Hour, Limit: most, Remaining: &left}
	for name, value := range limits.Daily {
		var app struct{ Max, Remaining json.RawMessage }
		if json.Unmarshal(value, &app) != nil || dialect.AppName(name) == "" {
			continue // Max and Remaining themselves are numbers
		}
		if most, left, ok := maxAndRemaining(app.Max, app.Remaining); ok && most > 0 {
			r.Apps = append(r.Apps, dialect.AppUse{Name: dialect.AppName(name), Used: max(0, most-left)})
		}
	}
	r.Apps = dialect.LargestApps(r.Apps)
	return []dialect.Reading{r}
}

// maxAndRemaining reads two counts. An org that is over its limit may have fewer than none left.
func maxAndRemaining(limit, remaining json.RawMessage) (most, left int64, ok bool) {
	var m, r float64
	if json.Unmarshal(limit, &m) != nil || json.Unmarshal(remaining, &r) != nil {
		return 0, 0, false
	}
	most, told := dialect.UnitsIn(m)
	left, also := dialect.UnitsIn(max(0, r))
	return most, left, told && also
}
