// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/test/built"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

// creations are queued while dispatch is held; the limit is 400 calls in scaledMinute, so that one by one takes seconds and not minutes.
const (
	creations    = 1000
	scaledMinute = 6 * time.Second
)

// BenchmarkThousandCreations reports how many calls a CRM gets for 1,000 queued creations, and how long they take, one by one and in bulk calls. Dispatcher and CRM are
// processes of their own; jobs take 5 to 60 s. It fails if a limit was overrun, or a caller was not told of a record of its own.
func BenchmarkThousandCreations(b *testing.B) {
	crmsimBinary := built.Program(b, "crmsim")
	for _, c := range []struct{ provider, operation, target, body, id string }{
		{"Zendesk", "CreateTicket", "/api/v2/tickets.json", `{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":"%d"}}`, "ticket/id"},
		{"Salesforce", "CreateCase", "/services/data/v60.0/sobjects/Case", `{"Subject":"s%d","Status":"New","Origin":"Web"}`, "id"},
		{"HubSpot", "CreateContact", "/crm/v3/objects/contacts", `{"properties":{"email":"c%d@example.test"}}`, "id"},
	} {
		for name, batching := range map[string]*contract.Batching{
			"alone": nil, "bulk": {Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10},
		} {
			b.Run(c.provider+"/"+name, func(b *testing.B) {
				calls, took := 0, time.Duration(0)
				for range b.N {
					crm := startCRM(b, crmsimBinary, c.provider)
					d := start(b, crm.url, func(p *contract.Plan) {
						p.CRM.Provider, p.Hold = c.provider, true
						p.Limits = []contract.Limit{{Name: "minute", Calls: 400, WindowSeconds: int64(scaledMinute / time.Second)}}
						p.Integrations[0].Operations = []contract.OperationOverflow{{Operation: c.operation, Policy: contract.Queued}}
						p.Integrations[0].Batching = batching
					})
					results := queueAll(b, d, c.target, c.body)
					began := time.Now()
					d.plan.Sequence, d.plan.Hold = d.plan.Sequence+1, false
					d.writePlan(b)
					wantOwnRecords(b, results, strings.Split(c.id, "/"))
					took += time.Since(began)
					calls += crm.calls(b)
				}
				b.ReportMetric(float64(calls)/float64(b.N), "calls")
				b.ReportMetric(took.Seconds()/float64(b.N), "s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// simulated is a running crmsim.
type simulated struct{ url, control string }

func startCRM(b *testing.B, binary, product string) simulated {
	b.Helper()
	listen, control := ports.Free(b), ports.Free(b)
	command := exec.CommandContext(b.Context(), binary, "--crm", product, "--listen", listen, "--control", control, "--token", "secret",
		"--limit", fmt.Sprintf("minute=400/%s", scaledMinute), "--latency", "20ms", "--jitter", "20ms", "--job-duration", "5s", "--max-job-duration", "1m", "--seed", "1")
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	})
	s := simulated{"http://" + listen, "http://" + control}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if answer, err := s.get(b, "healthz"); err == nil {
			_ = answer.Body.Close()
			return s
		}
		if time.Now().After(deadline) {
			b.Fatal("the simulated CRM is not ready after 30 s")
		}
	}
}

func (s simulated) get(b *testing.B, path string) (*http.Response, error) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.control+"/_sim/"+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	return http.DefaultClient.Do(r)
}

// calls is how many have arrived, all of them within the limit.
func (s simulated) calls(b *testing.B) int {
	b.Helper()
	answer, err := s.get(b, "report")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	var report crmsim.Report
	if err := json.NewDecoder(answer.Body).Decode(&report); err != nil {
		b.Fatal(err)
	}
	if problems := report.Problems(); len(problems) > 0 {
		b.Errorf("the CRM's judge says: %v", problems)
	}
	return report.Arrivals
}

// queueAll queues the creations, and returns where their results will be.
func queueAll(b *testing.B, d *process, target, body string) []string {
	b.Helper()
	client, results := newClient(b), make([]string, creations)
	var clients sync.WaitGroup
	const many = 50
	for c := range many {
		clients.Go(func() {
			for n := c; n < creations; n += many {
				answer, err := clientCall(b, client, http.MethodPost, "http://"+d.intake+target, fmt.Sprintf(body, n))
				if err != nil {
					b.Error(err)
					return
				}
				_ = answer.Body.Close()
				if results[n] = answer.Header.Get("Location"); answer.StatusCode != http.StatusAccepted {
					b.Errorf("creation %d: %s", n, answer.Status)
				}
			}
		})
	}
	clients.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return results
}

// wantOwnRecords waits for all results, and fails unless each tells of a record that no other tells of. id is the path of its ID.
func wantOwnRecords(b *testing.B, results []string, id []string) {
	b.Helper()
	client, seen := newClient(b), map[string]bool{}
	for n, location := range results {
		record, ended := "", false
		for deadline := time.Now().Add(5 * time.Minute); !ended && time.Now().Before(deadline); {
			record, ended = resultOf(b, client, location, id)
		}
		if record == "" || seen[record] {
			b.Fatalf("creation %d was told of record %q, which is none or another's", n, record)
		}
		seen[record] = true
	}
}

// resultOf waits for a result for a while, and returns the ID of the record that was made.
func resultOf(b *testing.B, client *http.Client, location string, id []string) (record string, ended bool) {
	b.Helper()
	answer, err := clientCall(b, client, http.MethodGet, location+"?wait=30", "")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	var result struct {
		State string         `json:"state"`
		Body  map[string]any `json:"body"`
	}
	if answer.StatusCode == http.StatusAccepted {
		return "", false
	}
	if err := json.NewDecoder(answer.Body).Decode(&result); err != nil || result.State != "succeeded" {
		b.Fatalf("%s: %s, %s: %v", location, answer.Status, result.State, err)
	}
	var at any = result.Body
	for _, name := range id {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	return fmt.Sprint(at), true
}

// clientCall is a call of the dispatcher's client.
func clientCall(b *testing.B, client *http.Client, method, url, body string) (*http.Response, error) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+clientKey)
	r.Header.Set("Content-Type", "application/json")
	return client.Do(r)
}
