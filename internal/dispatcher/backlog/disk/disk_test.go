// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func entry(integration, target string) backlog.Entry {
	now := time.Now()
	return backlog.Entry{
		Call:      &call.Call{Integration: integration, Method: "POST", Target: target, Body: []byte(target), AcceptedAt: now, Expires: now.Add(time.Hour)},
		MaxQueued: 1 << 40,
	}
}

func open(t *testing.T, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(options(fs))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestVolumeOfFormat3IsTaken: it differs in its number alone. What was queued on it still is, and an older version refuses it from then on.
func TestVolumeOfFormat3IsTaken(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	a, err := s.Append(entry("a/x", "body"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Set(keyFormat, []byte("3"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, fs)
	defer s.Close() //nolint:errcheck // in memory
	if r, err := s.Result(backlog.Ref{Integration: "a/x", ID: a.ID}); err != nil || r.State != call.StateQueued {
		t.Errorf("the call is %+v: %v", r, err)
	}
	if format, err := s.get(keyFormat); string(format) != "4" {
		t.Errorf("the volume has format %q: %v", format, err)
	}
}

func TestVolumeOfANewerVersionIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	if err := s.db.Set(keyFormat, []byte("7"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(options(fs))
	if err == nil || !strings.Contains(err.Error(), `format "7" and this version reads up to 6: run the version that wrote it`) {
		t.Errorf("the error is %v", err)
	}
}

// TestVolumeOfAnOlderVersionIsTaken, and refused by that version from then on.
func TestVolumeOfAnOlderVersionIsTaken(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	old := []byte(`{"id":7,"integration":"a/x","cost":1}`)
	if err := errors.Join(s.db.Set(keyFormat, []byte("1"), pebble.Sync), s.db.Set(openKey(7), old, pebble.Sync), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, fs)
	defer func() { _ = s.Close() }()
	r, err := s.Restore()
	if err != nil || len(r.Charges) != 1 || r.Charges[0].ID != 7 || !r.Charges[0].Open {
		t.Errorf("restored %+v: %v", r.Charges, err)
	}
	if format, err := s.get(keyFormat); string(format) != "4" {
		t.Errorf("the volume has format %q: %v", format, err)
	}
}

func TestVolumeInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	o := options(vfs.Default)
	o.Dir = dir
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second process opens the volume: %v", err)
	}
}

// brokenDisk fails to sync the write-ahead log once it is told to.
type brokenDisk struct {
	vfs.FS
	broken atomic.Bool
}

type brokenFile struct {
	vfs.File
	disk *brokenDisk
}

func (d *brokenDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, category)
	return &brokenFile{f, d}, err
}

func (f *brokenFile) Sync() error {
	if f.disk.broken.Load() {
		return errors.New("input/output error")
	}
	return f.File.Sync()
}

func (f *brokenFile) SyncData() error            { return f.Sync() }
func (f *brokenFile) SyncTo(int64) (bool, error) { return true, f.Sync() }

// TestFailedSyncIsFatal: nothing is acknowledged after it, and the process is told to end.
func TestFailedSyncIsFatal(t *testing.T) {
	d := &brokenDisk{FS: vfs.NewMem()}
	fatal := make(chan string, 1)
	o := options(d)
	o.Fatal = func(reason string) {
		select {
		case fatal <- reason:
		default:
		}
		select {} // as the end of the process
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(entry("a/x", "/1")); err != nil {
		t.Fatal(err)
	}
	d.broken.Store(true)
	acknowledged := make(chan error, 1)
	go func() {
		_, err := s.Append(entry("a/x", "/2"))
		acknowledged <- err
	}()
	select {
	case reason := <-fatal:
		if !strings.Contains(reason, "input/output error") {
			t.Errorf("the reason is %q", reason)
		}
	case err := <-acknowledged:
		t.Errorf("the call was acknowledged: %v", err)
	case <-time.After(10 * time.Second):
		t.Error("nothing happened")
	}
}

func TestFullVolumeTakesNoCallAndEndsThoseItHas(t *testing.T) {
	fs := vfs.NewMem()
	o := options(fs)
	o.Reserve = 1000
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	a, err := s.Append(entry("a/x", "/1"))
	if err != nil {
		t.Fatal(err)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 999, TotalBytes: 10_000})
	s.room.unchecked = 0
	if _, err := s.Append(entry("a/x", "/2")); !errors.Is(err, backlog.ErrStoreFull) {
		t.Errorf("Append: %v", err)
	}
	if err := s.Room(); !errors.Is(err, backlog.ErrStoreFull) {
		t.Errorf("Room: %v", err)
	}
	dead := &backlog.Batch{Transitions: []backlog.Transition{{
		Ref: backlog.Ref{Integration: "a/x", ID: a.ID}, From: call.StateQueued, To: call.StateDead, Reason: "r", KeepUntil: time.Now(),
	}}}
	if _, err := s.Commit(dead); err != nil {
		t.Errorf("Commit: %v", err)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 5000, TotalBytes: 10_000})
	if _, err := s.Append(entry("a/x", "/3")); err != nil {
		t.Errorf("Append once there is room: %v", err)
	}
}

// TestSameKeyAtTheSameTime: of many writers with one key, one stores a call and the others learn its ID.
func TestSameKeyAtTheSameTime(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var wg sync.WaitGroup
	var fresh atomic.Int64
	ids := make([]call.ID, 32)
	for i := range ids {
		wg.Go(func() {
			e := entry("a/x", "/1")
			e.DedupeKey = "k"
			a, err := s.Append(e)
			if err != nil {
				t.Error(err)
			}
			if ids[i] = a.ID; !a.Seen {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("two IDs for one key: %s, %s", id, ids[0])
		}
	}
	if fresh.Load() != 1 || s.Tally("a/x").Queued != 1 {
		t.Errorf("%d calls were stored, %d are queued", fresh.Load(), s.Tally("a/x").Queued)
	}
}

// TestHeadsWhileCallsArrive: whoever reads the queue again and again in order misses nothing, however writers overtake each other.
func TestHeadsWhileCallsArrive(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Append(entry("a/x", fmt.Sprintf("/%d/%d", w, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		wg.Wait()
		close(finished)
	}()
	for taken, last := 0, false; ; {
		heads, err := s.Heads("a/x", backlog.KindOf("", "POST", "/0/0"), "", 16)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			end := backlog.Transition{Ref: backlog.Ref{Integration: "a/x", ID: h.ID}, From: call.StateQueued, To: call.StateDead, Reason: "r", KeepUntil: time.Now()}
			if _, err := s.Commit(&backlog.Batch{Transitions: []backlog.Transition{end}}); err != nil {
				t.Fatal(err)
			}
			taken++
		}
		if last && len(heads) == 0 {
			if taken != writers*each {
				t.Errorf("%d calls were seen, want %d", taken, writers*each)
			}
			return
		}
		select {
		case <-finished:
			last = true
		default:
		}
	}
}
