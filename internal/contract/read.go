// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxReportBytes is far more than 1,000 integrations with 16 limits take.
const maxReportBytes = 16 << 20

// ReadReport reads a dispatcher's report, of at most 16 MiB. The texts of its errors appear in conditions: they say nothing that changes from one time to the next.
func ReadReport(body io.Reader) (*Report, error) {
	var report Report
	if err := json.NewDecoder(io.LimitReader(body, maxReportBytes)).Decode(&report); err != nil {
		return nil, errors.New("the dispatcher's report cannot be read")
	}
	if report.Schema != ReportSchema {
		return nil, fmt.Errorf("the dispatcher's report has schema %d, this manager reads %d: they are of different versions", report.Schema, ReportSchema)
	}
	return &report, nil
}
