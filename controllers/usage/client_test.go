// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"bytes"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// FuzzReport: whatever a dispatcher answers, it is a report of this schema or an error.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"schema":1,"sequence":3,"limits":[{"name":"minute","used":-1}]}`))
	f.Add([]byte(`{"schema":99}`))
	f.Add([]byte(`null`))
	f.Add(bytes.Repeat([]byte("["), 10_000))
	f.Fuzz(func(t *testing.T, body []byte) {
		report, err := decode(bytes.NewReader(body))
		if (report == nil) == (err == nil) || err == nil && report.Schema != contract.ReportSchema {
			t.Errorf("%+v, %v", report, err)
		}
	})
}
