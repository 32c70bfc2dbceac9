// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// acceptors is how many clients have calls accepted at a time.
const acceptors = 128

// hold has a plan accept calls and send none.
func hold(p *contract.Plan) { p.Hold = true }

const (
	limitHandler = "limit=EmptyHandler"
	// limitHandlerJournal is the same handler when it has each body on the disk first.
	limitHandlerJournal = "limit=EmptyHandler+journal"
	limitSingle         = "limit=write+fdatasync"
	peerJetStream       = "peer=JetStream"
)

// startAcceptors starts the dispatcher and what answers 202 beside it.
func startAcceptors(b *testing.B) []caller {
	b.Helper()
	d := start(b, startStub(b).url, hold)
	var callers []caller
	for _, a := range []struct {
		name string
		contender
	}{
		{limitHandler, startPeer(b, "", "")},
		{limitHandlerJournal, startPeer(b, "", filepath.Join(b.TempDir(), "journal"))},
		{dispatcher, contender{"http://" + d.intake, d.command.Process.Pid}},
	} {
		client := newClient(b)
		callers = append(callers, caller{a.name, a.pid, func() {
			call(b, client, http.MethodPost, a.url+"/api/v2/tickets.json", bytes.NewReader(ticket), http.StatusAccepted)
		}})
	}
	return callers
}

// BenchmarkAccept compares durable 202s for 1 KiB, with 128 clients: with a handler that reads the body and does nothing, with one that has it on the disk first,
// with one writer that syncs each, and with JetStream on the same disk under sync_interval always.
func BenchmarkAccept(b *testing.B) {
	var turns []turn
	for _, c := range startAcceptors(b) {
		turns = append(turns, c.with(acceptors))
	}
	file := scratch(b)
	publisher := buildPublisher(b)
	turns = append(turns,
		caller{name: limitSingle, call: func() { writeSync(b, file) }}.with(1),
		turn{caller{name: peerJetStream}, func(n int) time.Duration { return publish(b, publisher, n) }})
	costs := inTurn(b, turns)
	for _, t := range turns {
		took := costs[t.name].nanos
		b.Run(t.name, func(b *testing.B) {
			b.ReportMetric(took, "ns/op")
			b.ReportMetric(costs[limitHandler].nanos/took, "x-EmptyHandler-throughput")
			b.ReportMetric(costs[limitHandlerJournal].nanos/took, "x-journal-throughput")
			b.ReportMetric(costs[limitSingle].nanos/took, "x-single-fdatasync-throughput")
			b.ReportMetric(costs[peerJetStream].nanos/took, "x-JetStream-throughput")
		})
	}
}

// BenchmarkAcceptLatency reports what a durable 202 takes at 1,000 calls a second, beside what the disk takes for a write and fdatasync, one after the other.
func BenchmarkAcceptLatency(b *testing.B) {
	b.Run("limit=fdatasync", benchmarkDisk)
	callers := startAcceptors(b)
	times := paced(callers)
	for _, c := range callers {
		b.Run(c.name, func(b *testing.B) {
			reportLatency(b, times[c.name])
			b.ReportMetric(residentMiB(b, c.pid), "resident-MiB")
		})
	}
}

func writeSync(b *testing.B, file *os.File) {
	b.Helper()
	if _, err := file.Write(ticket); err != nil {
		b.Fatal(err)
	}
	if err := unix.Fdatasync(int(file.Fd())); err != nil {
		b.Fatal(err)
	}
}

// buildPublisher builds a program that has a JetStream server of its own. It is of a module of its own, and its path is returned.
func buildPublisher(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "jetstream")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", program, ".")
	build.Dir = "jetstream"
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the JetStream peer: %v\n%s", err, out)
	}
	return program
}

// publish has n messages stored by JetStream and says how long they took, without its start.
func publish(b *testing.B, program string, n int) time.Duration {
	b.Helper()
	publish := exec.CommandContext(b.Context(), program, "-dir", b.TempDir(), "-n", strconv.Itoa(n), "-clients", strconv.Itoa(acceptors),
		"-bytes", strconv.Itoa(len(ticket)))
	publish.Stderr = os.Stderr
	out, err := publish.Output()
	if err != nil {
		b.Fatal(err)
	}
	var nanosEach float64
	if err := json.Unmarshal(out, &nanosEach); err != nil {
		b.Fatal(err)
	}
	return time.Duration(nanosEach * float64(n))
}
