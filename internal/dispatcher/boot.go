// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SystemBoot identifies this machine's boot by Linux's boot ID and says how long ago it was. The ID is empty where it cannot be read: no time is proven then.
func SystemBoot() (id string, since time.Duration) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0
	}
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return "", 0
	}
	return strings.TrimSpace(string(text)), time.Duration(t.Nano())
}
