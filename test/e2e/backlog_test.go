// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

const smallLimits = `[{name: burst, calls: 60, windowSeconds: 10}, {name: day, calls: 100000, calendar: {unit: Day}}, {name: inflight, concurrent: 10}]`

var smallSimLimits = []string{"burst=60/10s:rolling", "day=100000/calendar:UTC"}

// TestKillNine kills the dispatcher's process with a full backlog: nothing is lost, nothing doubled, no limit overrun.
func TestKillNine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "kill", smallSimLimits, smallLimits)
	w.apply("")
	w.waitReady(60 * time.Second)
	const tickets = 300
	tally := w.fill(w.client(), tickets)
	if accepted := tally.Result().Accepted; accepted < tickets/2 {
		t.Fatalf("only %d of %d tickets were queued: the backlog is not full", accepted, tickets)
	}
	before := w.restarts()
	killDispatcher(t, w)
	eventually(t, "the container is restarted", time.Minute, func() string {
		if w.restarts() > before {
			return ""
		}
		return "restart count is still " + strconv.Itoa(before)
	})
	w.drained(tickets, 4*time.Minute)
	w.judge(tickets)
	eventually(t, "the status says that the backlog is empty", 2*time.Minute, func() string {
		var crm v1alpha1.CRM
		if err := cluster.Get(t.Context(), w.key("zendesk"), &crm); err != nil {
			return err.Error()
		}
		if b := crm.Status.Backlog.Calls; b != nil && *b > 0 {
			return fmt.Sprintf("status.backlog.calls is %d", *b)
		}
		return ""
	})
}

func (w *world) pod() *corev1.Pod {
	w.t.Helper()
	var pod corev1.Pod
	if err := cluster.Get(w.t.Context(), w.key("zendesk-crm-dispatcher-0"), &pod); err != nil {
		w.t.Fatal(err)
	}
	return &pod
}

func (w *world) restarts() int {
	pod := w.pod()
	if len(pod.Status.ContainerStatuses) == 0 {
		return 0
	}
	return int(pod.Status.ContainerStatuses[0].RestartCount)
}

// killDispatcher sends SIGKILL to the dispatcher's process, which is visible where the node runs on this machine. Elsewhere the pod is deleted without grace,
// which does the same to the process.
func killDispatcher(t *testing.T, w *world) {
	t.Helper()
	uid := string(w.pod().UID)
	processes, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		cgroup, err := os.ReadFile(path)
		if err != nil || !strings.Contains(strings.ReplaceAll(string(cgroup), "_", "-"), uid) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if !strings.HasPrefix(string(cmdline), "/dispatcher") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		t.Logf("killed dispatcher process %d", pid)
		return
	}
	t.Log("the node's processes are not visible here: deleting the pod without grace instead")
	kubectl(t, "delete", "pod", "-n", w.namespace, "zendesk-crm-dispatcher-0", "--grace-period=0", "--force")
}
