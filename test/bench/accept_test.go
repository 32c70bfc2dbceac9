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

	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// acceptors is how many clients have calls accepted at a time.
const acceptors = 128

// hold has a plan accept calls and send none.
func hold(p *contract.Plan) { p.Hold = true }

func accept(b *testing.B, client *http.Client, base string) {
	b.Helper()
	call(b, client, http.MethodPost, base+"/api/v2/tickets.json", bytes.NewReader(ticket), http.StatusAccepted)
}

// BenchmarkAccept compares durable 202s for 1 KiB, with 128 clients: with a handler that reads the body and does nothing, with one writer that syncs each, and
// with JetStream on the same disk under sync_interval always.
func BenchmarkAccept(b *testing.B) {
	var handler, single, jetStream float64
	b.Run("limit=EmptyHandler", func(b *testing.B) { handler = acceptAll(b, startGo(b, "").url) })
	b.Run("limit=write+fdatasync", func(b *testing.B) {
		file, err := os.Create(filepath.Join(b.TempDir(), "log"))
		if err != nil {
			b.Fatal(err)
		}
		defer file.Close() //nolint:errcheck // a scratch file
		for b.Loop() {
			writeSync(b, file)
		}
		single = float64(b.Elapsed()) / float64(b.N)
	})
	publisher := buildPublisher(b)
	b.Run("peer=JetStream", func(b *testing.B) {
		jetStream = publishAll(b, publisher)
		b.ReportMetric(jetStream, "ns/op")
	})
	b.Run("dispatcher", func(b *testing.B) {
		nanos := acceptAll(b, "http://"+start(b, startStub(b).url, hold).intake)
		b.ReportMetric(handler/nanos, "x-EmptyHandler-throughput")
		b.ReportMetric(single/nanos, "x-single-fdatasync-throughput")
		b.ReportMetric(jetStream/nanos, "x-JetStream-throughput")
	})
}

// BenchmarkAcceptLatency reports what a durable 202 takes at 1,000 calls a second.
func BenchmarkAcceptLatency(b *testing.B) {
	b.Run("limit=fdatasync", benchmarkDisk)
	b.Run("limit=EmptyHandler+journal", func(b *testing.B) {
		c, client := startJournal(b, ""), newClient(b)
		reportMillis(b, "latency", paced(b, func() { accept(b, client, c.url) }))
	})
	b.Run("dispatcher", func(b *testing.B) {
		d, client := start(b, startStub(b).url, hold), newClient(b)
		reportMillis(b, "latency", paced(b, func() { accept(b, client, "http://"+d.intake) }))
		b.ReportMetric(residentMiB(b, d.command.Process.Pid), "resident-MiB")
	})
}

// acceptAll has b.N calls accepted and returns the nanoseconds each took.
func acceptAll(b *testing.B, base string) float64 {
	b.Helper()
	client := newClient(b)
	do := func() { accept(b, client, base) }
	together(acceptors, warm, do)
	b.ResetTimer()
	together(acceptors, b.N, do)
	b.StopTimer()
	return float64(b.Elapsed()) / float64(b.N)
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

// publishAll has b.N messages stored by JetStream, or a few more, as its start is no part of what they take, and returns the nanoseconds each took.
func publishAll(b *testing.B, program string) float64 {
	b.Helper()
	publish := exec.CommandContext(b.Context(), program, "-dir", b.TempDir(), "-n", strconv.Itoa(max(b.N, warm)), "-clients", strconv.Itoa(acceptors),
		"-bytes", strconv.Itoa(len(ticket)))
	publish.Stderr = os.Stderr
	b.ResetTimer()
	out, err := publish.Output()
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	var nanos float64
	if err := json.Unmarshal(out, &nanos); err != nil {
		b.Fatal(err)
	}
	return nanos
}
