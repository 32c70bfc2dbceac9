// SPDX-License-Identifier: Apache-2.0

package salesforce

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

func TestTheNewestLog(t *testing.T) {
	record := func(id, date, length string) string {
		return `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"EventLogFile"},"Id":"` + id + `","LogDate":"` + date + `","LogFileLength":` + length + `}]}`
	}
	const id, date = "0AT5e00000ABCdeGAH", "2026-11-29T00:00:00.000+0000"
	log, known := readNewest([]byte(record(id, date, "683.0")))
	want := dialect.AppLog{
		Ask: dialect.Request{Method: "GET", Target: "/services/data/v60.0/sobjects/EventLogFile/" + id + "/LogFile"},
		Day: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Bytes: 683,
	}
	if diff := cmp.Diff(want, log); diff != "" || !known {
		t.Errorf("known: %t, %s", known, diff)
	}
	for name, body := range map[string]string{
		"no file":              `{"totalSize":0,"done":true,"records":[]}`,
		"an ID that is a path": record("../../../query?q=x", date, "683"),
		"a date that is none":  record(id, "yesterday", "683"),
		"a negative length":    record(id, date, "-1"),
		"a length beyond all":  record(id, date, "1e300"),
		"no JSON":              `<html>`,
	} {
		if log, known := readNewest([]byte(body)); known {
			t.Errorf("%s: read %+v", name, log)
		}
	}
}

func TestCallsAreCountedByApp(t *testing.T) {
	const header = `"EVENT_TYPE","CLIENT_NAME","COUNTS_AGAINST_API_LIMIT","CONNECTED_APP_ID","CONNECTED_APP_NAME","USER_NAME"` + "\n"
	for name, test := range map[string]struct {
		file string
		want []dialect.AppUse
	}{
		"those that count, the largest app first": {
			header + `"ApiTotalUsage","","1","0H4a","CTI","a"
"ApiTotalUsage","","0","0H4a","CTI","a"
"ApiTotalUsage","","1","0H4b","ETL","b"
"ApiTotalUsage","","true","0H4b","ETL","b"
"ApiTotalUsage","","false","0H4b","ETL","b"
"ApiTotalUsage","","","0H4b","ETL","b"
`, []dialect.AppUse{{Name: "ETL", Used: 2}, {Name: "CTI", Used: 1}},
		},
		"an app without a name by its ID, and none at all": {
			header + `"ApiTotalUsage","loader","1","","","a"` + "\n" + `"ApiTotalUsage","","1","888b","","b"` + "\n",
			[]dialect.AppUse{{Name: "(no connected app)", Used: 1}, {Name: "888b", Used: 1}},
		},
		"names as they can be shown": {
			header + `"ApiTotalUsage","","1","0H4a","two` + "\n" + `lines, and ""quotes""","a"` + "\n", []dialect.AppUse{{Name: `two?lines, and "quotes"`, Used: 1}},
		},
		"a release without names, in another order": {
			"CONNECTED_APP_ID,COUNTS_AGAINST_API_LIMIT \n0H4a,1\n", []dialect.AppUse{{Name: "0H4a", Used: 1}},
		},
		"a day on which nothing counts": {header, []dialect.AppUse{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := countCalls(strings.NewReader(test.file))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// TestTheLargestAppsAreShown of more than can be.
func TestTheLargestAppsAreShown(t *testing.T) {
	var file strings.Builder
	file.WriteString("CONNECTED_APP_ID,COUNTS_AGAINST_API_LIMIT\n")
	for app := range 40 {
		file.WriteString(strings.Repeat(fmt.Sprintf("app%02d,1\n", app), app+1))
	}
	got, err := countCalls(strings.NewReader(file.String()))
	if err != nil || len(got) != dialect.MaxApps || got[0] != (dialect.AppUse{Name: "app39", Used: 40}) || got[dialect.MaxApps-1] != (dialect.AppUse{Name: "app24", Used: 25}) {
		t.Errorf("%v: %+v", err, got)
	}
}

// TestFilesThatAreNoLog must not be taken for a day on which little was used.
func TestFilesThatAreNoLog(t *testing.T) {
	const header = "CONNECTED_APP_ID,COUNTS_AGAINST_API_LIMIT\n"
	many := func(line func(i int) string) string {
		var all strings.Builder
		for i := range maxLogApps + 1 {
			all.WriteString(line(i))
		}
		return all.String()
	}
	for name, file := range map[string]string{
		"empty":               "",
		"other columns":       "CONNECTED_APP_ID,URI\na,1\n",
		"no app":              "CONNECTED_APP_NAME,COUNTS_AGAINST_API_LIMIT\na,1\n",
		"a row that is short": header + "a,1\nb\n",
		"what does not count": header + "a,perhaps\n",
		"cut within quotes":   header + `a,1` + "\n" + `"b`,
		"a row without end":   header + `"` + strings.Repeat("a", 2*maxRow) + `",1` + "\n",
		"too many apps":       header + many(func(i int) string { return fmt.Sprintf("app%d,1\n", i) }),
	} {
		if got, err := countCalls(strings.NewReader(file)); err == nil {
			t.Errorf("%s: counted %+v", name, got)
		}
	}
}

// TestALogNeedsNoMemory: what a row takes is bounded although the file has no end to it.
func TestALogNeedsNoMemory(t *testing.T) {
	endless := &endless{}
	if _, err := countCalls(io.MultiReader(strings.NewReader("CONNECTED_APP_ID,COUNTS_AGAINST_API_LIMIT\n\""), endless)); err == nil || endless.read > 2*maxRow {
		t.Errorf("%d bytes were read of a row that never ends: %v", endless.read, err)
	}
}

type endless struct{ read int }

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += len(p)
	return len(p), nil
}

// FuzzEventLog: whatever a file holds, at most 16 applications are told, with names that can be shown, and no more calls than it has lines.
func FuzzEventLog(f *testing.F) {
	f.Add("CONNECTED_APP_ID,CONNECTED_APP_NAME,COUNTS_AGAINST_API_LIMIT\n0H4a,ETL,1\n0H4a,,true\n,,0\n")
	f.Add("\"CONNECTED_APP_ID\",\"COUNTS_AGAINST_API_LIMIT\"\r\n\"\xff\n\",\"1\"\r\n")
	f.Add("COUNTS_AGAINST_API_LIMIT,COUNTS_AGAINST_API_LIMIT,CONNECTED_APP_ID\n1,0,x\n\n\n1,1,x\n")
	f.Fuzz(func(t *testing.T, file string) {
		apps, err := countCalls(strings.NewReader(file))
		if err != nil {
			return
		}
		sum := int64(0)
		for i, a := range apps {
			sum += a.Used
			if a.Used < 1 || i > 0 && a.Used > apps[i-1].Used || a.Name == "" || len(a.Name) > dialect.MaxAppName || a.Name != dialect.AppName(a.Name) {
				t.Errorf("it tells %+v", apps)
			}
		}
		if lines := strings.Count(file, "\n") + 1; len(apps) > dialect.MaxApps || sum > int64(lines) {
			t.Errorf("of %d lines it tells %+v", lines, apps)
		}
	})
}
