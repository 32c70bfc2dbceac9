// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// childDir tells the test's own binary to be the process that is killed.
const childDir = "CRMQUOTA_TEST_KILL_DIR"

// TestKill kills a real process on a real disk under load, again and again: each call that it acknowledged is there, in the state it said last. It shows that
// the process survives its own death; that the disk survives loss of power is for the simulation to show.
func TestKill(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		work(t, dir)
	}
	dir := t.TempDir()
	said := map[backlog.Ref]call.State{}
	for round := range 5 {
		killed(t, dir, time.Duration(200+70*round)*time.Millisecond, said)
		check(t, dir, said)
	}
	if len(said) < 100 {
		t.Errorf("only %d calls were acknowledged: that is no load", len(said))
	}
}

// killed runs the process until it has lived for so long since its first word, and notes what it said.
func killed(t *testing.T, dir string, life time.Duration, said map[backlog.Ref]call.State) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$", "-test.v")
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		state, id, found := strings.Cut(rest, " ")
		if word != "ACK" || !found {
			continue
		}
		once.Do(func() { time.AfterFunc(life, func() { _ = child.Process.Kill() }) })
		said[backlog.Ref{Integration: "a/x", ID: call.ID(id)}] = call.State(state)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
}

func check(t *testing.T, dir string, said map[backlog.Ref]call.State) {
	t.Helper()
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
	for ref, state := range said {
		r, err := s.Result(ref)
		if err != nil {
			t.Errorf("call %s, acknowledged as %s: %v", ref.ID, state, err)
			continue
		}
		// It may have gone on after its last word, never back.
		if state == call.StateDead && r.State != call.StateDead {
			t.Errorf("call %s is %s, acknowledged as %s", ref.ID, r.State, state)
		}
	}
}

// work appends and ends calls for ever, and says so only afterwards.
func work(t *testing.T, dir string) {
	t.Helper()
	o := options(vfs.Default)
	o.Dir = dir
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	say := func(state call.State, id call.ID) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("ACK %s %s\n", state, id)
	}
	for range 8 {
		go func() {
			for {
				a, err := s.Append(entry("a/x", "/x"))
				if err != nil {
					t.Error(err)
					return
				}
				say(call.StateQueued, a.ID)
			}
		}()
	}
	for {
		heads, err := s.Heads("a/x", backlog.KindOf("", "POST", "/x"), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			end := backlog.Transition{Ref: backlog.Ref{Integration: "a/x", ID: h.ID}, From: call.StateQueued, To: call.StateDead, Reason: "r", KeepUntil: time.Now()}
			if _, err := s.Commit(&backlog.Batch{Transitions: []backlog.Transition{end}}); err != nil {
				t.Fatal(err)
			}
			say(call.StateDead, h.ID)
		}
	}
}
