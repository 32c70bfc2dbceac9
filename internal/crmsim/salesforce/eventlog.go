// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"bytes"
	"encoding/csv"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/records"
)

const (
	eventLogFile = "EventLogFile"
	day          = 24 * time.Hour
	// logLag is how long after its end a day's log is there. How long it is in an org is not documented.
	logLag = 4 * time.Hour
)

// eventLog counts the calls of days, from midnight UTC, by who made them. The log of a day is there for a day.
type eventLog struct {
	calls map[time.Time]map[string]int
}

// Counted logs a call, one that counts several times once: what a composite consists of is not logged.
func (s *Salesforce) Counted(at time.Time, c limit.Call) { s.log.add(at, c.Credential) }

func (l *eventLog) add(at time.Time, caller string) {
	of := dayOf(at)
	if l.calls[of] == nil {
		if l.calls == nil {
			l.calls = map[time.Time]map[string]int{}
		}
		l.calls[of] = map[string]int{}
		maps.DeleteFunc(l.calls, func(d time.Time, _ map[string]int) bool { return d.Before(of.Add(-2 * day)) })
	}
	l.calls[of][caller]++
}

func dayOf(at time.Time) time.Time { return at.UTC().Truncate(day) }

// latest is the day whose log is there at a moment, and its calls. A day without calls has no log.
func (l *eventLog) latest(now time.Time) (of time.Time, calls map[string]int) {
	of = dayOf(now.Add(-day - logLag))
	return of, l.calls[of]
}

func logID(of time.Time) string { return idOf(eventLogFile, of.Unix()/int64(day/time.Second)) }

// files is the log that is there, as a record.
func (l *eventLog) files(now time.Time) []*records.Record {
	of, calls := l.latest(now)
	if len(calls) == 0 {
		return nil
	}
	made := of.Add(day + logLag)
	return []*records.Record{{
		ID: logID(of), Kind: eventLogFile, Created: made, Updated: made,
		Fields: records.Fields{
			"EventType": "ApiTotalUsage", "Interval": "Daily", "LogDate": of.Format("2006-01-02T15:04:05.000-0700"), "LogFileLength": len(rowsOf(calls)),
		},
	}}
}

// getLog is the log as it is downloaded.
func (s *Salesforce) getLog(c *crm.Call) crm.Reply {
	of, calls := s.log.latest(c.Now)
	if len(calls) == 0 || c.Record != logID(of) {
		return notFound()
	}
	reply := crm.Empty(http.StatusOK)
	reply.Header.Set("Content-Type", "text/csv")
	reply.Body = rowsOf(calls)
	return reply
}

// rowsOf has a line for each call, and one of an app of Salesforce's own that does not count.
func rowsOf(calls map[string]int) []byte {
	var file bytes.Buffer
	rows := csv.NewWriter(&file)
	write := func(row ...string) {
		if err := rows.Write(row); err != nil {
			panic(err) // into memory: cannot be
		}
	}
	write("EVENT_TYPE", "ORGANIZATION_ID", "API_FAMILY", "COUNTS_AGAINST_API_LIMIT", "CONNECTED_APP_ID", "CONNECTED_APP_NAME")
	write("ApiTotalUsage", "00D5e0000000001", "REST", "0", "0H45e0000000000", "Salesforce for iOS")
	for _, caller := range slices.Sorted(maps.Keys(calls)) {
		for range calls[caller] {
			write("ApiTotalUsage", "00D5e0000000001", "REST", "1", "0H45e0000000001", caller)
		}
	}
	rows.Flush()
	return file.Bytes()
}
