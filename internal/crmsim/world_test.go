// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/test/pipes"
)

// world is a CRM in virtual time and a client that reaches it through a network of pipes.
type world struct {
	*testing.T
	sim    *Server
	client *http.Client
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, config Config, test func(w world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := New(config)
		network := make(pipes.Listener)
		server := &http.Server{Handler: sim}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DialContext: network.Dial}
		test(world{T: t, sim: sim, client: &http.Client{Transport: transport}})
		transport.CloseIdleConnections()
		sim.Close()
		_ = server.Close()
	})
}

// answer is what the client read.
type answer struct {
	status int
	header http.Header
	body   string
}

// parse reads a value out of the JSON body.
func parse[T any](w world, a answer) T {
	w.Helper()
	var value T
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		w.Fatalf("body %q: %v", a.body, err)
	}
	return value
}

// try sends a request; the target may be a path or a URL, and headers are name and value in turn.
func (w world) try(ctx context.Context, method, target, body string, headers ...string) (answer, error) {
	w.Helper()
	if strings.HasPrefix(target, "/") {
		target = "http://acme.zendesk.test" + target
	}
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.GetBody = nil // the transport must not send it twice
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(read)}, err
}

// do is try for a request that must be answered.
func (w world) do(method, target, body string, headers ...string) answer {
	w.Helper()
	got, err := w.try(w.Context(), method, target, body, headers...)
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func (w world) wantStatus(got answer, want int) {
	w.Helper()
	if got.status != want {
		w.Errorf("status %d, want %d; body %s", got.status, want, got.body)
	}
}

// create sends a new ticket.
func (w world) create(externalID string, headers ...string) answer {
	w.Helper()
	return w.do(http.MethodPost, "/api/v2/tickets.json", ticketJSON(externalID), headers...)
}

func ticketJSON(externalID string) string {
	return `{"ticket": {"subject": "call", "comment": {"body": "lasted 3 min"}, "external_id": "` + externalID + `"}}`
}

// sleep lets virtual time pass.
func (w world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
