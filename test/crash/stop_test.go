// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStoppedWithASuccessor stops the dispatcher (SIGSTOP) under load, between what it has decided and what it does, and starts another one on its volume: that
// one must not get the volume, nor send anything, as long as the first one is there. The first one goes on where it was.
func TestStoppedWithASuccessor(t *testing.T) {
	sim, url := startCRM(t)
	v := newVolume(t, newPlan(url, perSecond))
	l := &load{acknowledged: map[string]string{}}
	first := v.start(t)
	first.awaitReady(t)
	l.at.Store(&first.intake)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); l.run(ctx, clients) }()

	for range 3 {
		time.Sleep(150 * time.Millisecond)
		if err := first.command.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // what is on the wire arrives
		before := sim.Report().Arrivals
		successor := v.start(t)
		select {
		case <-successor.ended:
		case <-time.After(patience):
			t.Error("the successor lives on beside the one that stands still")
			successor.kill(t)
		}
		if state := successor.command.ProcessState; state.Success() {
			t.Error("the successor ended as if all were well")
		}
		if said := successor.said.String(); !strings.Contains(said, "open the store") {
			t.Errorf("the successor does not say why it ended: %s", said)
		}
		if now := sim.Report().Arrivals; now != before {
			t.Errorf("%d requests arrived while the one that holds the volume stood still", now-before)
		}
		if err := first.command.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(150 * time.Millisecond)
	first.kill(t)
	last := v.start(t) // the volume is free
	last.awaitReady(t)
	l.at.Store(&last.intake)
	time.Sleep(150 * time.Millisecond)
	stop()
	<-done
	judge(t, sim, last.intake, l, 1)
}
