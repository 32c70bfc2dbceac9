// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// eventLogs are the org's event log files of the type API Total Usage (Object Reference, EventLogFile). They need the permission View Event Log Files; a daily one
// tells of the 24 hours from midnight UTC.
var eventLogs = dialect.AppLogs{
	Window: 24 * time.Hour,
	Newest: dialect.Request{
		Operation: "Query", Method: http.MethodGet,
		Target: versionPath + "/query?q=" + url.QueryEscape("SELECT Id, LogDate, LogFileLength FROM EventLogFile"+
			" WHERE EventType = 'ApiTotalUsage' AND Interval = 'Daily' ORDER BY LogDate DESC LIMIT 1"),
	},
	ReadNewest: readNewest, Count: countCalls,
}

// recordID keeps what an answer says from leading elsewhere.
var recordID = regexp.MustCompile(`^[0-9A-Za-z]{15,18}$`)

// logDate is how REST answers write a moment.
const logDate = "2006-01-02T15:04:05.000-0700"

func readNewest(body []byte) (dialect.AppLog, bool) {
	var found struct {
		Records []struct {
			ID     string  `json:"Id"`
			Date   string  `json:"LogDate"`
			Length float64 `json:"LogFileLength"`
		} `json:"records"`
	}
	if json.Unmarshal(body, &found) != nil || len(found.Records) == 0 {
		return dialect.AppLog{}, false
	}
	file := found.Records[0]
	day, err := time.Parse(logDate, file.Date)
	if err != nil || !recordID.MatchString(file.ID) || file.Length < 0 || file.Length > 1<<53 {
		return dialect.AppLog{}, false
	}
	return dialect.AppLog{
		Ask: dialect.Request{Method: http.MethodGet, Target: versionPath + "/sobjects/EventLogFile/" + file.ID + "/LogFile"},
		Day: day.UTC().Truncate(24 * time.Hour), Bytes: int64(file.Length),
	}, true
}

// Bounds of a file: what is beyond them is no log of an org's applications.
const (
	maxRow     = 64 << 10
	maxLogApps = 1024
)

// noApp stands for calls without a connected app, such as those of somebody who has signed in with a password.
const noApp = "(no connected app)"

// Columns of the file (Object Reference, EventLogFile, API Total Usage). Which there are, and their order, depends on the release.
const (
	columnAppID   = "CONNECTED_APP_ID"
	columnAppName = "CONNECTED_APP_NAME"
	columnCounts  = "COUNTS_AGAINST_API_LIMIT"
)

// countCalls counts the rows of calls that count against the limit, by the name of their connected app, or by its ID where the name is empty. What counts is
// documented as true and false; files have 1 and 0.
func countCalls(file io.Reader) ([]dialect.AppUse, error) {
	bounded := &boundedRows{file: file}
	rows := csv.NewReader(bounded)
	rows.ReuseRecord = true
	names, err := bounded.next(rows)
	if err != nil {
		return nil, fmt.Errorf("names of columns: %w", err)
	}
	id, name, counts := column(names, columnAppID), column(names, columnAppName), column(names, columnCounts)
	if counts < 0 || id < 0 {
		return nil, fmt.Errorf("there are no columns %s and %s", columnAppID, columnCounts)
	}
	used := map[string]int64{}
	for {
		row, err := bounded.next(rows)
		if errors.Is(err, io.EOF) {
			return largest(used), nil
		}
		if err != nil {
			return nil, err
		}
		if c := row[counts]; c != "" {
			is, err := strconv.ParseBool(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", columnCounts, err)
			}
			if is {
				used[appOf(row, id, name)]++
			}
		}
		if len(used) > maxLogApps {
			return nil, fmt.Errorf("there are more than %d applications", maxLogApps)
		}
	}
}

func column(names []string, name string) int {
	return slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(n) == name })
}

func appOf(row []string, id, name int) string {
	if name >= 0 && row[name] != "" {
		return dialect.AppName(row[name])
	}
	if row[id] != "" {
		return dialect.AppName(row[id])
	}
	return noApp
}

func largest(used map[string]int64) []dialect.AppUse {
	all := make([]dialect.AppUse, 0, len(used))
	for name, n := range used {
		all = append(all, dialect.AppUse{Name: name, Used: n})
	}
	return dialect.LargestApps(all)
}

// boundedRows lets a row take no more memory than maxRow, and what the reader of rows reads ahead.
type boundedRows struct {
	file io.Reader
	left int
}

var errRowTooLong = fmt.Errorf("a row is longer than %d bytes", maxRow)

func (b *boundedRows) next(rows *csv.Reader) ([]string, error) {
	b.left = maxRow
	return rows.Read() //nolint:wrapcheck // it says which row it was
}

// Read implements io.Reader.
func (b *boundedRows) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.file.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
