// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is what clients hand in, and what they were promised.
type load struct {
	// at is the address of the dispatcher that lives now.
	at atomic.Pointer[string]

	mu sync.Mutex
	// acknowledged are the results' paths, by the tickets' external IDs.
	acknowledged map[string]string
	// broken is how many requests had no answer.
	broken int
}

// run hands in calls with n clients until ctx ends. Each is handed in again until it is acknowledged: its key makes that harmless.
func (l *load) run(ctx context.Context, n int) {
	var clients sync.WaitGroup
	for c := range n {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.handIn(ctx, fmt.Sprintf("%d-%d", c, i), i%3 == 0)
			}
		})
	}
	clients.Wait()
}

// handIn queues one ticket; as a bulk call if many is set, which the CRM would execute twice.
func (l *load) handIn(ctx context.Context, name string, many bool) {
	path, body := "/api/v2/tickets.json", `{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":"`+name+`"}}`
	if many {
		path, body = "/api/v2/tickets/create_many.json", `{"tickets":[{"subject":"s","comment":{"body":"b"},"external_id":"`+name+`"}]}`
	}
	for ctx.Err() == nil {
		location, err := l.post(ctx, path, body, name)
		if err == nil {
			l.mu.Lock()
			l.acknowledged[name] = location
			l.mu.Unlock()
			return
		}
		l.mu.Lock()
		l.broken++
		l.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
}

func (l *load) post(ctx context.Context, path, body, key string) (location string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+*l.at.Load()+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+clientKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", "respond-async")
	r.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("the answer is %s", answer.Status)
	}
	return answer.Header.Get("Location"), err
}

// promised is a copy of what was acknowledged so far.
func (l *load) promised() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.acknowledged)
}

// outcome waits until the call has come to rest, and returns its state.
func outcome(t *testing.T, at, location string, deadline time.Time) string {
	t.Helper()
	_, path, _ := strings.Cut(strings.TrimPrefix(location, "http://"), "/")
	for ; ; time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+clientKey)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var found struct{ State string }
		err = json.NewDecoder(answer.Body).Decode(&found)
		_ = answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusNotFound:
			return "unknown"
		case err != nil:
			t.Fatalf("%s: %s: %v", location, answer.Status, err)
		case found.State != "queued" && found.State != "sent":
			return found.State
		case time.Now().After(deadline):
			t.Errorf("%s is still %s", location, found.State)
			return found.State
		}
	}
}
