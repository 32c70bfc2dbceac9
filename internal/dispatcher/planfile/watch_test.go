// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// volume writes files as the kubelet does: into a new directory, which one link leads to.
type volume struct {
	tb      testing.TB
	dir     string
	version int
}

func newVolume(tb testing.TB) *volume {
	tb.Helper()
	v := &volume{tb: tb, dir: tb.TempDir()}
	if err := os.Symlink(filepath.Join("..data", "plan.json"), v.path()); err != nil {
		tb.Fatal(err)
	}
	return v
}

func (v *volume) path() string { return filepath.Join(v.dir, "plan.json") }

func (v *volume) write(plan []byte) {
	v.tb.Helper()
	v.version++
	name := fmt.Sprintf("..version_%d", v.version)
	steps := []error{
		os.Mkdir(filepath.Join(v.dir, name), 0o700),
		os.WriteFile(filepath.Join(v.dir, name, "plan.json"), plan, 0o600),
		os.Symlink(name, filepath.Join(v.dir, "..data_tmp")),
		os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")),
	}
	if err := errors.Join(steps...); err != nil {
		v.tb.Fatal(err)
	}
}

// withSequence is the golden plan with another sequence.
func withSequence(tb testing.TB, sequence int) []byte {
	tb.Helper()
	return bytes.Replace(golden(tb), []byte(`"sequence": 7`), fmt.Appendf(nil, `"sequence": %d`, sequence), 1)
}

// watch runs a Watcher until the test ends. Applied plans come out of the channel.
func watch(tb testing.TB, path string, apply Apply) (*Watcher, <-chan *contract.Plan) {
	tb.Helper()
	applied := make(chan *contract.Plan, 100)
	w := New(path, func(ctx context.Context, plan *contract.Plan) error {
		err := apply(ctx, plan)
		if err == nil {
			applied <- plan
		}
		return err
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return w, applied
}

func accept(context.Context, *contract.Plan) error { return nil }

func waitForPlan(tb testing.TB, applied <-chan *contract.Plan, sequence int64) {
	tb.Helper()
	select {
	case plan := <-applied:
		if plan.Sequence != sequence {
			tb.Fatalf("plan %d was applied, want %d", plan.Sequence, sequence)
		}
	case <-time.After(10 * time.Second):
		tb.Fatalf("plan %d was not applied", sequence)
	}
}

func waitForRejection(t *testing.T, w *Watcher, want string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if rejected := w.Rejected(); rejected != nil {
			if last = rejected.Reason; strings.Contains(last, want) {
				return
			}
		}
	}
	t.Fatalf("rejected for %q, want %q", last, want)
}

func TestWatcherAppliesEachChangeOfTheMountedFile(t *testing.T) {
	volume := newVolume(t)
	w, applied := watch(t, volume.path(), accept)
	for sequence := 1; sequence <= 3; sequence++ {
		volume.write(withSequence(t, sequence))
		waitForPlan(t, applied, int64(sequence))
	}

	volume.write([]byte(`{"schema": 9, "sequence": 4}`))
	waitForRejection(t, w, "schema: 9 is not known")
	if got := w.Rejected().Sequence; got != 4 {
		t.Errorf("the rejected plan has the sequence %d, want 4", got)
	}

	volume.write(withSequence(t, 5))
	waitForPlan(t, applied, 5)
	for deadline := time.Now().Add(10 * time.Second); w.Rejected() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the rejection stays although a plan was applied")
		}
	}
}

func TestWatcherKeepsWhyAPlanWasNotApplied(t *testing.T) {
	volume := newVolume(t)
	volume.write(withSequence(t, 3))
	w, _ := watch(t, volume.path(), func(context.Context, *contract.Plan) error {
		return errors.New("sequence 3 is lower than 4, which is in force")
	})
	waitForRejection(t, w, "lower than 4")
}

func TestWatcherRefusesAFileThatCannotBeAPlan(t *testing.T) {
	volume := newVolume(t)
	volume.write(make([]byte, maxSize+1))
	w, _ := watch(t, volume.path(), accept)
	waitForRejection(t, w, "larger than")
}

func TestRunFailsWithoutADirectory(t *testing.T) {
	w := New(filepath.Join(t.TempDir(), "missing", "plan.json"), accept, slog.New(slog.DiscardHandler))
	if err := w.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

// BenchmarkChangeToApplied measures how long after the swap of the link a plan of three limits and two integrations is handed on.
func BenchmarkChangeToApplied(b *testing.B) {
	volume := newVolume(b)
	_, applied := watch(b, volume.path(), accept)
	sequence := 0
	for b.Loop() {
		sequence++
		volume.write(withSequence(b, sequence))
		waitForPlan(b, applied, int64(sequence))
	}
}
