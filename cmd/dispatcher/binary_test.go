// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheBinaryHasNoKubernetesInIt(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed", len(packages))
	}
	for _, path := range packages {
		for _, foreign := range []string{"k8s.io/", "sigs.k8s.io/", "github.com/crmquota/crm-quota-operator/api", "github.com/crmquota/crm-quota-operator/controllers"} {
			if strings.HasPrefix(path, foreign) {
				t.Errorf("%s is linked in", path)
			}
		}
	}
}

// BenchmarkProcess starts the real binary and reports how long it takes until it is ready, and its resident memory a moment later.
func BenchmarkProcess(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "dispatcher")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var ready time.Duration
	var resident float64
	starts := 0
	for b.Loop() {
		w := newWorld(b, "http://127.0.0.1:1")
		w.writePlan()
		command := exec.Command(binary, flags(w.options)...)
		command.Env = append(os.Environ(), "GOMEMLIMIT=230MiB")
		start := time.Now()
		if err := command.Start(); err != nil {
			b.Fatal(err)
		}
		d := &running{world: w}
		eventually(b, func() bool { status, _ := d.health("/readyz"); return status == 200 })
		ready += time.Since(start)
		time.Sleep(500 * time.Millisecond) // start-up work that nobody waits for shall be over
		resident += residentMiB(b, command.Process.Pid)
		starts++
		if err := command.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = command.Wait() // it was killed
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(starts), "ms-to-ready")
	b.ReportMetric(resident/float64(starts), "MiB-resident")
}

func flags(o options) []string {
	return []string{
		"-plan-file=" + o.planFile, "-data-dir=" + o.dataDir, "-credentials-dir=" + o.credentialsDir, "-tls-dir=" + o.tlsDir,
		"-intake-address=" + o.intakeAddress, "-report-address=" + o.reportAddress, "-health-address=" + o.healthAddress,
	}
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func residentMiB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		b.Fatal(err)
	}
	match := vmRSS.FindSubmatch(status)
	if match == nil {
		b.Fatalf("no VmRSS in %s", status)
	}
	kib, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
