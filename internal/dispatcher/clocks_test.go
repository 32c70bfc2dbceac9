// SPDX-License-Identifier: Apache-2.0

package dispatcher

import (
	"testing"
	"time"
)

// TestSystemClocks: two readings are of one boot, whose clock goes on.
func TestSystemClocks(t *testing.T) {
	first := SystemClocks()
	time.Sleep(2 * time.Millisecond)
	second := SystemClocks()
	if first.BootID == "" || first.BootID != second.BootID {
		t.Errorf("boots %q and %q", first.BootID, second.BootID)
	}
	if passed := second.Boot - first.Boot; passed < 2*time.Millisecond || passed > time.Minute {
		t.Errorf("%s have passed", passed)
	}
	if off := time.Since(second.Wall); off < 0 || off > time.Minute {
		t.Errorf("the time of day is off by %s", off)
	}
}
