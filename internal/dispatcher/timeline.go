// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// timeline returns a clock that is never stepped: it shows a time at the start plus the time that has passed since.
//
// That time is the machine's time of day where something keeps it right. Where nothing does, somebody may have set it since the dispatcher ran last: within one
// boot of the machine the timeline goes on as the boot clock says, else it does not go back at least. Calls would expire, or seem younger than they are.
func timeline(last backlog.Clock, machine backlog.Machine) func() time.Time {
	start := time.Now()
	shown := machine.Wall.Round(0)
	switch {
	case last.Time.IsZero() || machine.WallError > 0:
	case machine.BootID != "" && machine.BootID == last.BootID:
		shown = last.Time.Add(max(0, machine.Boot-last.Boot))
	case shown.Before(last.Time):
		shown = last.Time
	}
	return func() time.Time { return shown.Add(time.Since(start)) }
}
