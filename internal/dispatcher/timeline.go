// SPDX-License-Identifier: Apache-2.0

package dispatcher

import "time"

// timeline returns a clock that shows the wall clock's time at the start plus the time that has passed since: it is never stepped.
func timeline() func() time.Time {
	start := time.Now()
	wall := start.Round(0)
	return func() time.Time { return wall.Add(time.Since(start)) }
}
