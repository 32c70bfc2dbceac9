// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// SystemClocks reads this machine's clocks. What cannot be read is left out: no time is proven by it then.
func SystemClocks() backlog.Machine {
	m := backlog.Machine{Wall: time.Now().Round(0), WallError: wallError()}
	var t unix.Timespec
	if id := bootID(); id != "" && unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) == nil {
		m.BootID, m.Boot = id, time.Duration(t.Nano())
	}
	return m
}

// bootID does not change while a process lives, and the clocks are read with every batch.
var bootID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// wallError is how far the time of day can be off: the maximum error that the kernel keeps for the NTP client (adjtimex(2), in microseconds); 0 while the clock is
// not synchronised.
func wallError() time.Duration {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err != nil || state == unix.TIME_ERROR {
		return 0
	}
	return max(time.Millisecond, time.Duration(t.Maxerror)*time.Microsecond)
}
