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
)

// proxies are the dispatcher and what it is compared with, each started in front of a CRM.
var proxies = []struct {
	name  string
	start func(b *testing.B, crm string) contender
}{
	{peerReverseProxy, startGo},
	{"peer=nginx", startNginx},
	{"peer=HAProxy", startHAProxy},
	{limitJournal, startJournal},
	{"dispatcher", func(b *testing.B, crm string) contender {
		b.Helper()
		d := start(b, crm, nil)
		return contender{"http://" + d.intake, d.command.Process.Pid}
	}},
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
	crm := startStub(b)
	nanos := map[string]float64{}
	for _, p := range proxies {
		b.Run(p.name, func(b *testing.B) {
			c, client := p.start(b, crm.url), newClient(b)
			do := func() { post(b, client, c.url) }
			together(forwarders, warm, do)
			before := cpuTime(b, c.pid)
			b.ResetTimer()
			together(forwarders, b.N, do)
			b.StopTimer()
			nanos[p.name] = float64(b.Elapsed()) / float64(b.N)
			b.ReportMetric(float64((cpuTime(b, c.pid)-before).Microseconds())/1000/float64(b.N), "cpu-ms/call")
			b.ReportMetric(nanos[peerReverseProxy]/nanos[p.name], "x-ReverseProxy-throughput")
			b.ReportMetric(nanos[limitJournal]/nanos[p.name], "x-limit-throughput")
		})
	}
}

// BenchmarkForwardLatency reports what a call takes at 1,000 calls a second, beside what the disk takes for a write and fdatasync, one after the other: a call
// waits for its own, and often for the rest of the one before it.
func BenchmarkForwardLatency(b *testing.B) {
	crm := startStub(b)
	b.Run("limit=fdatasync", benchmarkDisk)
	for _, p := range proxies {
		b.Run(p.name, func(b *testing.B) {
			c, client := p.start(b, crm.url), newClient(b)
			reportMillis(b, "latency", paced(b, func() { post(b, client, c.url) }))
		})
	}
}

// benchmarkDisk reports how long it takes to append 1 KiB and have it on the disk.
func benchmarkDisk(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // a scratch file
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		writeSync(b, file)
		times = append(times, time.Since(began))
	}
	reportMillis(b, "fdatasync", times)
}
