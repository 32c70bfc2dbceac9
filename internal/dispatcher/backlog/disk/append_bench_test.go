// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// BenchmarkAppend stores calls of 1 KiB durably, by 128 writers, on a file system in memory (what encryption costs the processor) and on the disk.
func BenchmarkAppend(b *testing.B) {
	for name, fs := range map[string]func() vfs.FS{"memory": func() vfs.FS { return vfs.NewMem() }, "disk": func() vfs.FS { return vfs.Default }} {
		for _, encrypted := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/clear", true: "/encrypted"}[encrypted], func(b *testing.B) {
				o := options(fs())
				o.Dir = b.TempDir()
				if encrypted {
					o.Ring = ringOf(b, 1, 0)
				}
				s, err := Open(o)
				if err != nil {
					b.Fatal(err)
				}
				now := time.Now()
				b.SetParallelism(64)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						_, err := s.Append(backlog.Entry{
							Call: &call.Call{
								Integration: "bench/app", Method: "POST", Target: "/api/v2/tickets.json", Header: http.Header{"Content-Type": {"application/json"}},
								Body: make([]byte, 1024), AcceptedAt: now, Expires: now.Add(time.Hour),
							},
							MaxQueued: math.MaxInt64,
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
				if err := s.Close(); err != nil {
					b.Error(err)
				}
			})
		}
	}
}
