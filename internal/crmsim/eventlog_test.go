// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSalesforceLogsTheCallsOfADay: those that were counted, others' too, a composite batch once. The log is there some hours after the day's end, and for a day.
func TestSalesforceLogsTheCallsOfADay(t *testing.T) {
	config := Config{CRM: "Salesforce", Limits: limits("day=6/24h"), Background: background(t, "2/10m,credential=etl")}
	inBubble(t, config, func(w world) { // it begins at midnight UTC
		type file struct{ ID, LogDate string }
		newest := func() []file {
			query := url.QueryEscape("SELECT Id, LogDate FROM EventLogFile WHERE EventType = 'ApiTotalUsage' AND Interval = 'Daily'")
			return parse[struct{ Records []file }](w, w.do(http.MethodGet, salesforceData+"/query?q="+query, "")).Records
		}
		w.wantStatus(w.do(http.MethodPost, salesforceData+"/composite/batch", `{"batchRequests": [{"method": "GET", "url": "v66.0/limits"}, {"method": "GET", "url": "v66.0/limits"}]}`), http.StatusOK)
		w.sleep(time.Hour) // others use up what is left
		w.wantStatus(w.do(http.MethodGet, salesforceData+"/limits", ""), http.StatusForbidden)
		if err := w.sim.SetBackground(nil); err != nil {
			w.Fatal(err)
		}
		w.sleep(26 * time.Hour)
		if early := newest(); len(early) != 0 {
			w.Errorf("three hours after the day there is already %+v", early)
		}
		w.sleep(2 * time.Hour)
		files := newest()
		if len(files) != 1 || files[0].LogDate != "2000-01-01T00:00:00.000+0000" {
			w.Fatalf("the logs are %+v", files)
		}
		path := salesforceData + "/sobjects/EventLogFile/" + files[0].ID + "/LogFile"
		log := w.do(http.MethodGet, path, "")
		if others, counted := strings.Count(log.body, "etl"), strings.Count(log.body, ",1,"); others != 4 || counted != 5 || strings.Count(log.body, ",0,") != 1 {
			w.Errorf("of 4 calls of others and a batch of 2 there are %d and %d: %s", others, counted, log.body)
		}
		w.sleep(24 * time.Hour)
		w.wantStatus(w.do(http.MethodGet, path, ""), http.StatusNotFound)
	})
}
