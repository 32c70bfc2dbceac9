// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// showRooms has the headers that tell of limits show what the integration has, not what the licence has: clients that pace themselves by them pace right. Without
// rooms the integration is not held to any, and the headers stay as the CRM has written them.
func (v *view) showRooms(header http.Header, rooms []call.Room) {
	if len(rooms) == 0 {
		return
	}
	// The RateLimit fields for HTTP, draft-ietf-httpapi-ratelimit-headers-10: q and r in units of the limit, w and t in seconds.
	policies, left := &strings.Builder{}, &strings.Builder{}
	for _, r := range rooms {
		writeItem(policies, r.Limit, ";q=", r.Most, ";w=", seconds(r.Window))
		writeItem(left, r.Limit, ";r=", r.Left, ";t=", seconds(r.Renews))
	}
	header["Ratelimit-Policy"], header["Ratelimit"] = []string{policies.String()}, []string{left.String()}
	tightest := slices.MinFunc(rooms, func(a, b call.Room) int { return cmp.Compare(a.Left, b.Left) })
	v.provider.ShowShare(header, dialect.Share{Most: tightest.Most, Left: tightest.Left, Renews: tightest.Renews, Now: time.Now()})
}

// writeItem adds to a list an item with two parameters (RFC 9651). Names of limits need no escapes.
func writeItem(list *strings.Builder, limit, first string, units int64, second string, seconds int64) {
	if list.Len() > 0 {
		list.WriteString(", ")
	}
	list.WriteString(`"` + limit + `"` + first + strconv.FormatInt(units, 10) + second + strconv.FormatInt(seconds, 10))
}

// seconds rounds up: who waits that long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
