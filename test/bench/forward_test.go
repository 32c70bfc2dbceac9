// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ticket is a body of 1 KiB.
var ticket = []byte(`{"ticket":{"subject":"Call log","comment":{"body":"` + strings.Repeat("x", 968) + `"}}}`)

const (
	peerReverseProxy = "peer=ReverseProxy"
	// limitJournal is the same proxy when it has each body on the disk first: what is missing to it is the price of all else that the dispatcher does.
	limitJournal = "limit=ReverseProxy+journal"
	dispatcher   = "dispatcher"
)

// proxies are the dispatcher and what it is compared with.
var proxies = []struct {
	name  string
	start func(b *testing.B, crm string) (contender, error)
}{
	{peerReverseProxy, startGo},
	{"peer=nginx", startNginx},
	{"peer=HAProxy", startHAProxy},
	{limitJournal, startJournal},
	{dispatcher, func(b *testing.B, crm string) (contender, error) {
		b.Helper()
		d := start(b, crm, nil)
		return contender{"http://" + d.intake, d.command.Process.Pid}, nil
	}},
}

// startProxies starts each in front of a CRM, but for those that cannot be had here.
func startProxies(b *testing.B) (callers []caller) {
	b.Helper()
	crm := startStub(b)
	for _, p := range proxies {
		c, err := p.start(b, crm.url)
		if err != nil {
			b.Logf("without %s: %v", p.name, err)
			continue
		}
		client := newClient(b)
		callers = append(callers, caller{p.name, c.pid, func() { post(b, client, c.url) }})
	}
	return callers
}

// post makes a call of 1 KiB that nothing may make twice; no limit binds it.
func post(b *testing.B, client *http.Client, base string) {
	b.Helper()
	call(b, client, http.MethodPost, base+"/api/v2/users.json", bytes.NewReader(ticket), http.StatusOK)
}

// forwarders is how many clients make calls at a time.
const forwarders = 64

// BenchmarkForward compares how many calls of 1 KiB pass, with 64 clients. The dispatcher makes each call's intent durable before it sends it; the peers keep
// nothing, and of them only HAProxy counts. Client and CRM compute on the same cores, and a contender's share of a core says more than its throughput.
func BenchmarkForward(b *testing.B) {
	var turns []turn
	for _, c := range startProxies(b) {
		turns = append(turns, c.with(forwarders))
	}
	costs := inTurn(b, turns)
	for _, t := range turns {
		took := costs[t.name]
		b.Run(t.name, func(b *testing.B) {
			b.ReportMetric(took.nanos, "ns/op")
			b.ReportMetric(took.cpuMillis, "cpu-ms/call")
			b.ReportMetric(costs[peerReverseProxy].nanos/took.nanos, "x-ReverseProxy-throughput")
			b.ReportMetric(costs[limitJournal].nanos/took.nanos, "x-journal-throughput")
		})
	}
}

// BenchmarkForwardLatency reports what a call takes at 1,000 calls a second, beside what the disk takes for a write and fdatasync, one after the other: a call
// waits for its own, and often for the rest of the one before it.
func BenchmarkForwardLatency(b *testing.B) {
	b.Run("limit=fdatasync", benchmarkDisk)
	callers := startProxies(b)
	times := paced(callers)
	for _, c := range callers {
		b.Run(c.name, func(b *testing.B) { reportLatency(b, times[c.name]) })
	}
}

// benchmarkDisk reports how long it takes to append 1 KiB and have it on the disk.
func benchmarkDisk(b *testing.B) {
	file := scratch(b)
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		writeSync(b, file)
		times = append(times, time.Since(began))
	}
	reportMillis(b, "fdatasync", times)
}

// scratch is a file to write to.
func scratch(b *testing.B) *os.File {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	return file
}
