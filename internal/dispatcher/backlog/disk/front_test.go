// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestReadingOnKeepsTheFront: whoever reads the heads piece by piece, and then from the start again, sees every queued call.
func TestReadingOnKeepsTheFront(t *testing.T) {
	s, err := Open(Options{
		FS: vfs.NewMem(), Dir: "store", Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler), Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // in memory
	const calls = 3
	kind, after := backlog.KindOf("", "POST", "/0"), call.ID("")
	for n := range calls {
		entry := backlog.Entry{Call: &call.Call{Integration: "ns/a", Method: "POST", Target: fmt.Sprintf("/%d", n), AcceptedAt: time.Unix(1, 0)}, MaxQueued: calls}
		if _, err := s.Append(entry); err != nil {
			t.Fatal(err)
		}
		heads, err := s.Heads("ns/a", kind, after, 64)
		if err != nil || len(heads) != 1 {
			t.Fatalf("Heads after %q: %d calls, %v; want the one that came in last", after, len(heads), err)
		}
		after = heads[0].ID
	}
	if heads, err := s.Heads("ns/a", kind, "", 64); err != nil || len(heads) != calls {
		t.Errorf("Heads from the start: %d calls, %v; want %d", len(heads), err, calls)
	}
}
