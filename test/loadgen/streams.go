// SPDX-License-Identifier: Apache-2.0

package loadgen

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Request makes the n-th request of a stream.
type Request func(n int) (method, target string, body any)

// CreateTickets are call logs: each a ticket whose external_id is prefix-n, so that a judge can tell lost and doubled ones.
func CreateTickets(prefix string) Request {
	return func(n int) (string, string, any) {
		ticket := map[string]any{
			"subject":     fmt.Sprintf("Call log %d", n),
			"external_id": fmt.Sprintf("%s-%d", prefix, n),
			"comment":     map[string]string{"body": "Call ended by the customer after 3 minutes."},
		}
		return http.MethodPost, "/api/v2/tickets.json", map[string]any{"ticket": ticket}
	}
}

// SearchUsers are contact searches.
func SearchUsers(n int) (string, string, any) {
	return http.MethodGet, fmt.Sprintf("/api/v2/users/search.json?query=user%d", n%100), nil
}

// ListTickets are an export's pages.
func ListTickets(n int) (string, string, any) {
	return http.MethodGet, fmt.Sprintf("/api/v2/tickets.json?page=%d", n%20+1), nil
}

// Burst sends count requests at once from the given number of connections.
func Burst(ctx context.Context, c *Client, t *Tally, count, connections int, request Request) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for n := range next {
				c.one(ctx, t, n, request)
			}
		})
	}
	for n := range count {
		next <- n
	}
	close(next)
	wg.Wait()
}

// Steady sends requests at a rate per second until ctx ends, each on time however long the others take, then waits for those under way.
func Steady(ctx context.Context, c *Client, t *Tally, perSecond float64, request Request) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer ticker.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			wg.Go(func() { c.one(context.WithoutCancel(ctx), t, n, request) })
		}
	}
}

// Greedy keeps the given number of connections busy until ctx ends; when refused it comes back after at most a second.
func Greedy(ctx context.Context, c *Client, t *Tally, connections int, request Request) {
	var wg sync.WaitGroup
	for w := range connections {
		wg.Go(func() {
			for n := w; ctx.Err() == nil; n += connections {
				if answer := c.one(context.WithoutCancel(ctx), t, n, request); answer.Status != http.StatusOK {
					sleep(ctx, min(max(answer.RetryAfter, 100*time.Millisecond), time.Second))
				}
			}
		})
	}
	wg.Wait()
}

func (c *Client) one(ctx context.Context, t *Tally, n int, request Request) Answer {
	method, target, body := request(n)
	start := time.Now()
	answer, err := c.Do(ctx, method, target, body)
	t.Add(answer, time.Since(start), err)
	return answer
}
