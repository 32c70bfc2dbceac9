// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// SystemClocks reads this machine's clocks. What cannot be read is left out: no time is proven by it then.
func SystemClocks() backlog.Machine {
	m := backlog.Machine{Wall: time.Now().Round(0), WallError: wallError()}
	var t unix.Timespec
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil && unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) == nil {
		m.BootID, m.Boot = strings.TrimSpace(string(id)), time.Duration(t.Nano())
	}
	return m
}

// wallError is how far the time of day can be off: the maximum error that the kernel keeps for the NTP client (adjtimex(2), in microseconds); 0 while the clock is
// not synchronised.
func wallError() time.Duration {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err != nil || state == unix.TIME_ERROR {
		return 0
	}
	return max(time.Millisecond, time.Duration(t.Maxerror)*time.Microsecond)
}
