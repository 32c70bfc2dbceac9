// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"crypto/rand"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/conformance"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, func() conformance.Volume { return &memory{fs: vfs.NewCrashableMem()} })
}

func TestConformanceEncrypted(t *testing.T) {
	ring := ringOf(t, 1, 0)
	conformance.Run(t, func() conformance.Volume { return &memory{fs: vfs.NewCrashableMem(), ring: ring} })
}

// memory is a volume in memory that can lose power.
type memory struct {
	fs   *vfs.MemFS
	ring func() (*sealing.Ring, error)
	open *Store
}

func (m *memory) Open() (backlog.Store, error) {
	o := options(m.fs)
	o.Ring = m.ring
	s, err := Open(o)
	m.open = s
	return s, err
}

func (m *memory) PowerLoss() {
	left := m.fs.CrashClone(vfs.CrashCloneCfg{})
	_ = m.open.Close() // its file system is not used any more
	m.fs = left
}

func options(fs vfs.FS) Options {
	return Options{
		FS: fs, Dir: "data", Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler),
		Fatal: func(reason string) { panic(reason) },
	}
}
