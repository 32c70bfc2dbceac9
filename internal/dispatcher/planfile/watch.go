// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// maxSize of a plan, in bytes: a ConfigMap carries 1 MiB.
	maxSize = 2 << 20
	// lookAgain bounds how long a change can go unnoticed when the kernel drops a notice, and how soon a plan that could not be applied is tried again.
	lookAgain = 5 * time.Second
)

// Apply brings a plan into force. Its error says why it does not.
type Apply func(context.Context, *contract.Plan) error

// Watcher applies the plan in a file whenever it changes.
type Watcher struct {
	path     string
	apply    Apply
	log      *slog.Logger
	rejected atomic.Pointer[contract.RejectedPlan]
	last     []byte // what was looked at last, nil to look again whatever it is
}

// New returns a Watcher of a file, which need not exist yet.
func New(path string, apply Apply, log *slog.Logger) *Watcher {
	return &Watcher{path: path, apply: apply, log: log}
}

// Rejected is why the newest plan is not in force; nil if it is, or if none was seen.
func (w *Watcher) Rejected() *contract.RejectedPlan { return w.rejected.Load() }

// Run applies the plan and its changes until ctx ends. Its error means that the directory of the file cannot be watched.
func (w *Watcher) Run(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the plan: %w", err)
	}
	defer func() { _ = watcher.Close() }() // nothing was written
	// The directory, not the file: a ConfigMap's volume changes by swapping the link that the file's own link leads through.
	if err := watcher.Add(filepath.Dir(w.path)); err != nil {
		return fmt.Errorf("watch the directory of the plan: %w", err)
	}
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
		case err := <-watcher.Errors:
			w.log.Warn("A notice of the plan's directory was lost", "error", err)
		case <-again.C:
		}
	}
}

// look applies what the file holds, if it is new.
func (w *Watcher) look(ctx context.Context) {
	data, err := w.read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		w.reject(&contract.RejectedPlan{Reason: err.Error()})
		return
	case w.last != nil && bytes.Equal(data, w.last):
		return
	}
	plan, rejected := Parse(data)
	w.last = data
	if rejected == nil {
		if err := w.apply(ctx, plan); err != nil {
			rejected = &contract.RejectedPlan{Sequence: plan.Sequence, Reason: err.Error()}
			w.last = nil
		}
	}
	w.reject(rejected)
	if rejected == nil {
		w.log.Info("A plan is in force", "sequence", plan.Sequence, "integrations", len(plan.Integrations))
	}
}

// Past is what a plan's file says of the ledger before it is watched; nothing if it cannot be read.
func Past(path string) contract.LedgerPast {
	data, err := (&Watcher{path: path}).read()
	if err != nil {
		return contract.LedgerPast{}
	}
	plan, rejected := Parse(data)
	if rejected != nil {
		return contract.LedgerPast{}
	}
	return plan.Ledger
}

// reject keeps why a plan was refused, or nil, and logs it once.
func (w *Watcher) reject(rejected *contract.RejectedPlan) {
	before := w.rejected.Swap(rejected)
	if rejected != nil && (before == nil || *before != *rejected) {
		w.log.Error("A plan was rejected", "sequence", rejected.Sequence, "reason", rejected.Reason)
	}
}

func (w *Watcher) read() ([]byte, error) {
	file, err := os.Open(w.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("the plan is larger than %d bytes", maxSize)
	}
	return data, err
}
