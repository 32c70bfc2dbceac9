// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"testing"
)

// FuzzReport: whatever a dispatcher answers, it is a report of this schema or an error.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"schema":1,"sequence":3,"limits":[{"name":"minute","used":-1}]}`))
	f.Add([]byte(`{"schema":99}`))
	f.Add([]byte(`null`))
	f.Add(bytes.Repeat([]byte("["), 10_000))
	f.Fuzz(func(t *testing.T, body []byte) {
		report, err := ReadReport(bytes.NewReader(body))
		if (report == nil) == (err == nil) || err == nil && report.Schema != ReportSchema {
			t.Errorf("%+v, %v", report, err)
		}
	})
}
