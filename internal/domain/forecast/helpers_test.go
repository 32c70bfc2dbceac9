// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
	"time"
)

// quantile of some times.
func quantile(of []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// notShort leaves a test of many days out with -short, which is for runs by the hundred.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes many days")
	}
}

// sealed bytes have the check sum of a snapshot.
func sealed(b []byte) []byte {
	return binary.BigEndian.AppendUint32(slices.Clone(b), crc32.ChecksumIEEE(b))
}
