// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// childFault tells the test's own binary to be the process whose disk fails: the kind of the operation, and the how manieth of them.
const childFault = "CRMQUOTA_TEST_FAULT"

// faulty are the kinds of operations that an open store does, by name.
var faulty = map[string]errorfs.OpKind{
	"create": errorfs.OpCreate, "open": errorfs.OpOpen, "remove": errorfs.OpRemove, "disk usage": errorfs.OpGetDiskUsage, "close": errorfs.OpFileClose,
	"read at": errorfs.OpFileReadAt, "write": errorfs.OpFileWrite, "sync": errorfs.OpFileSync, "sync data": errorfs.OpFileSyncData,
}

// TestEachOperationOfTheDiskFails once, and for ever: the process goes on or ends, and what it had acknowledged is on the disk, of which only what was synced is
// left. No process hangs.
func TestEachOperationOfTheDiskFails(t *testing.T) {
	if fault := os.Getenv(childFault); fault != "" {
		workOnFaulty(t, fault)
	}
	var fired, ended atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d processes saw their disk fail, %d of them ended", fired.Load(), ended.Load())
		if fired.Load() < int64(len(faulty))/2 || ended.Load() == 0 {
			t.Error("that is too few: nothing is shown")
		}
	})
	for name := range faulty {
		for _, nth := range []string{"1", "9", "1 on"} {
			t.Run(name+" "+nth, func(t *testing.T) {
				t.Parallel()
				child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEachOperationOfTheDiskFails$", "-test.timeout=60s")
				child.Env = append(os.Environ(), childFault+"="+name+","+nth)
				out, err := child.CombinedOutput()
				said := string(out)
				switch {
				case strings.Contains(said, "LOST"), strings.Contains(said, "test timed out"):
					t.Errorf("%v\n%s", err, said)
				case !strings.Contains(said, "KEPT") && !strings.Contains(said, "panic: "): // Pebble's own goroutines panic, too
					t.Errorf("the process did not say what came of it: %v\n%s", err, said)
				}
				if strings.Contains(said, "FAILED") {
					fired.Add(1)
					if err != nil {
						ended.Add(1)
					}
				}
			})
		}
	}
}

// failing has operations of one kind fail: the nth one, or all from it on.
type failing struct {
	kind      errorfs.OpKind
	nth       int64
	on, armed atomic.Bool
	seen      atomic.Int64
}

// String implements errorfs.Injector.
func (*failing) String() string { return "failing" }

// MaybeError implements errorfs.Injector.
func (f *failing) MaybeError(op errorfs.Op) error {
	if !f.armed.Load() || op.Kind != f.kind {
		return nil
	}
	if n := f.seen.Add(1); n == f.nth || n > f.nth && f.on.Load() {
		fmt.Println("FAILED", op.Path)
		return errors.New("input/output error")
	}
	return nil
}

// workOnFaulty appends and ends calls on a disk that fails, and then says whether all that it had acknowledged was durable.
func workOnFaulty(t *testing.T, fault string) {
	t.Helper()
	name, nth, _ := strings.Cut(fault, ",")
	f := &failing{kind: faulty[name]}
	nth, all := strings.CutSuffix(nth, " on")
	f.on.Store(all)
	if _, err := fmt.Sscan(nth, &f.nth); err != nil {
		t.Fatal(err)
	}
	mem := vfs.NewCrashableMem()
	var mu sync.Mutex
	said := map[backlog.Ref]call.State{}
	judge := func() {
		mu.Lock()                                                                   // for good: nothing is acknowledged from here on
		left := mem.CrashClone(vfs.CrashCloneCfg{RNG: rand.New(rand.NewPCG(1, 1))}) //nolint:gosec // nothing unsynced is kept
		s, err := Open(options(left))
		if err != nil {
			fmt.Println("LOST all:", err)
			os.Exit(4)
		}
		for ref, state := range said {
			if r, err := s.Result(ref); err != nil || state == call.StateDead && r.State != call.StateDead {
				fmt.Println("LOST", ref.ID, state, r.State, err)
			}
		}
		fmt.Println("KEPT", len(said))
	}
	o := options(errorfs.Wrap(mem, f))
	o.Fatal = func(string) {
		judge()
		os.Exit(3)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	f.armed.Store(true)
	say := func(state call.State, id call.ID) {
		mu.Lock()
		defer mu.Unlock()
		said[backlog.Ref{Integration: "a/x", ID: id}] = state
	}
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() { appendSome(s, say) })
	}
	workers.Go(func() { endSome(s, say) })
	workers.Wait()
	judge()
	os.Exit(0)
}

// TestAPanicOfPebbleEndsTheProcess although whoever calls recovers from it, as HTTP servers do.
func TestAPanicOfPebbleEndsTheProcess(t *testing.T) {
	ended := ""
	o := options(vfs.NewMem())
	o.Fatal = func(reason string) { ended = reason }
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"append": func() error { _, err := s.Append(entry("a/x", "/1")); return err },
		"commit": func() error { _, err := s.Commit(&backlog.Batch{}); return err },
		"keep":   func() error { return s.Keep("name", []byte("sealed")) },
	} {
		ended = ""
		func() {
			defer func() { _ = recover() }() // the HTTP server
			t.Errorf("%s: %v, want a panic", name, write())
		}()
		if !strings.Contains(ended, "closed") {
			t.Errorf("%s: the process was not told to end: %q", name, ended)
		}
	}
}

// body makes the log full, and the memtable, again and again.
var body = strings.Repeat("b", 8<<10)

func appendSome(s *Store, say func(call.State, call.ID)) {
	for n := range 20 {
		e := entry("a/x", body)
		e.Call.OrderKey = []string{"", "one"}[n%2]
		if a, err := s.Append(e); err == nil {
			say(call.StateQueued, a.ID)
		}
	}
}

func endSome(s *Store, say func(call.State, call.ID)) {
	for range 20 {
		heads, err := s.Heads("a/x", backlog.KindOf("", "POST", body), "", 1)
		if err != nil {
			continue
		}
		for _, h := range heads {
			end := backlog.Transition{Ref: backlog.Ref{Integration: "a/x", ID: h.ID}, From: call.StateQueued, To: call.StateDead, Reason: "r", KeepUntil: time.Now()}
			if _, err := s.Commit(&backlog.Batch{Transitions: []backlog.Transition{end}}); err == nil {
				say(call.StateDead, h.ID)
			}
		}
	}
}
