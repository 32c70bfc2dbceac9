// SPDX-License-Identifier: Apache-2.0

package generic

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Readings are none: there are no headers about limits that all APIs have.
func (Generic) Readings(http.Header, time.Time) []dialect.Reading { return nil }

// Usage is not known: there is no call that all APIs have.
func (Generic) Usage() (dialect.Usage, bool) { return dialect.Usage{}, false }
