// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// BenchmarkStart reports the time from exec to ready, and the resident memory a second later.
func BenchmarkStart(b *testing.B) {
	crm := startStub(b)
	var times []time.Duration
	resident := 0.0
	for b.Loop() {
		p := start(b, crm.url, nil)
		times = append(times, p.startedToReady)
		time.Sleep(time.Second)
		resident = max(resident, residentMiB(b, p.command.Process.Pid))
	}
	reportMillis(b, "ready", times)
	b.ReportMetric(resident, "resident-MiB")
	b.ReportMetric(0, "ns/op")
}

func residentMiB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "status"))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kib); err == nil {
			return kib / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// BenchmarkDrainStart reports how long after a limit has room again the next call reaches the CRM.
func BenchmarkDrainStart(b *testing.B) {
	crm := startStub(b)
	d := start(b, crm.url, func(p *contract.Plan) { p.Limits = []contract.Limit{{Name: "second", Calls: 1, WindowSeconds: 1}} })
	client := newClient(b)
	get := func() {
		call(b, client, http.MethodGet, "http://"+d.intake+"/api/v2/users/search.json?query=ada", nil, http.StatusOK)
	}
	hold := limits.DefaultGuards().Hold(limits.Limit{Kind: limits.Rolling, Window: time.Second})
	get()
	// What the client sees as the end of an answer is later than what the dispatcher sees, so the times are too small by a part of a round trip.
	ended := time.Now()
	crm.listen.Store(true)
	var late []time.Duration
	for b.Loop() {
		get()
		late = append(late, (<-crm.arrived).Sub(ended.Add(hold)))
		ended = time.Now()
	}
	reportMillis(b, "late", late)
}

// BenchmarkPlanChange reports how long a changed plan file takes to be in force, as the report says it. BenchmarkEdit
// measures it from the edit of a manifest on.
func BenchmarkPlanChange(b *testing.B) {
	d := start(b, startStub(b).url, nil)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // loopback
	var times []time.Duration
	for b.Loop() {
		d.plan.Sequence++
		began := time.Now()
		d.writePlan(b)
		report := getReport(b, client, fmt.Sprintf("https://%s%s?after=%d&wait=10", d.report, contract.ReportPath, d.plan.Sequence))
		if report.Sequence != d.plan.Sequence {
			b.Fatalf("plan %d is in force, not %d", report.Sequence, d.plan.Sequence)
		}
		times = append(times, time.Since(began))
	}
	reportMillis(b, "in-force", times)
}

func getReport(b *testing.B, client *http.Client, url string) contract.Report {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var report contract.Report
	if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
		b.Fatal(err)
	}
	return report
}
