// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Usage is a call that tells who signs in, for the sake of its header: there is no resource for usage.
func (Zendesk) Usage() (dialect.Usage, bool) {
	return dialect.Usage{Ask: dialect.Request{Method: http.MethodGet, Target: "/api/v2/users/me.json"}, Every: time.Minute}, true
}
