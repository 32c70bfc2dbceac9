// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// leap is by how much the time of day can go wrong at a leap second although it is kept right.
const leap = time.Second

// downtime is the least time that has passed between two readings; proven is false if nothing tells. Within one boot of one machine its boot clock does. Else the
// time of day does if on both machines something keeps it right, less what that allows it to be wrong by.
func downtime(last, now backlog.Machine) (least time.Duration, proven bool) {
	switch {
	case last.BootID != "" && last.BootID == now.BootID:
		return max(0, now.Boot-last.Boot), true
	case last.WallError > 0 && now.WallError > 0:
		return max(0, now.Wall.Sub(last.Wall)-last.WallError-now.WallError-leap), true
	}
	return 0, false
}
