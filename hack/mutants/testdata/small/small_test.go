// SPDX-License-Identifier: Apache-2.0

package small

import "testing"

func TestClamp(t *testing.T) {
	for n, want := range map[number]number{-1: 0, 0: 0, 1: 1, 5: 5, 6: 6, 7: 6, 100: 6} {
		if got := clamp(n, 0, 6); got != want {
			t.Errorf("clamp(%d) = %d", n, got)
		}
	}
	if got := clamp(1, 2, 1); got != 2 {
		t.Errorf("clamp(1, 2, 1) = %d", got)
	}
}

func TestSum(t *testing.T) {
	if got := sum(4); got != 6 {
		t.Errorf("sum(4) = %d", got)
	}
}

func TestEither(t *testing.T) {
	if !either(true, true) || either(false, false) {
		t.Error("either is wrong")
	}
}
