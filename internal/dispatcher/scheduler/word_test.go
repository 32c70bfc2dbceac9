// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"strconv"
	"time"

	dialects "github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings implements Provider: the CRM of a test tells of its minute in headers of its own.
func (dialect) Readings(header http.Header, _ time.Time) []dialects.Reading {
	left, err := strconv.ParseInt(header.Get("Left"), 10, 64)
	if err != nil {
		return nil
	}
	r := dialects.Reading{Window: time.Minute, Remaining: &left}
	r.Limit, _ = strconv.ParseInt(header.Get("Limit"), 10, 64)
	r.Resets, _ = time.ParseDuration(header.Get("Resets"))
	return []dialects.Reading{r}
}
