// SPDX-License-Identifier: Apache-2.0

package intercom

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Usage is a call that tells who signs in, for the sake of its header: there is no resource for usage.
func (Intercom) Usage() (dialect.Usage, bool) {
	return dialect.Usage{Ask: dialect.Request{Method: http.MethodGet, Target: "/me"}, Every: time.Minute}, true
}
