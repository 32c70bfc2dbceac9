// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
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
	var policies, left []string
	for _, r := range rooms {
		policies = append(policies, fmt.Sprintf("%q;q=%d;w=%d", r.Limit, r.Most, seconds(r.Window)))
		left = append(left, fmt.Sprintf("%q;r=%d;t=%d", r.Limit, r.Left, seconds(r.Renews)))
	}
	header["Ratelimit-Policy"], header["Ratelimit"] = []string{strings.Join(policies, ", ")}, []string{strings.Join(left, ", ")}
	tightest := slices.MinFunc(rooms, func(a, b call.Room) int { return cmp.Compare(a.Left, b.Left) })
	v.provider.ShowShare(header, dialect.Share{Most: tightest.Most, Left: tightest.Left, Renews: tightest.Renews, Now: time.Now()})
}

// seconds rounds up: who waits that long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
