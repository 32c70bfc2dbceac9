// SPDX-License-Identifier: Apache-2.0

// Package loadgen calls a dispatcher the way a CRM's integrations do: bursts of call logs, steady look-ups that somebody waits for, and a job that takes all
// it can get. It counts what came back and follows every accepted call to its end.
package loadgen

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Client is one integration's HTTP client.
type Client struct {
	// BaseURL of the dispatcher's intake.
	BaseURL string
	// HTTP does the requests; see NewHTTPClient.
	HTTP *http.Client
	// Token returns the credential, asked anew for every request because projected tokens rotate.
	Token func() (string, error)
}

// NewHTTPClient trusts the CA in pem, or the system's when pem is empty.
func NewHTTPClient(pem []byte) (*http.Client, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if len(pem) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("the CA file holds no certificate")
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{Transport: transport, Timeout: time.Minute}, nil
}

// TokenFile reads the token from a file at every request.
func TokenFile(path string) func() (string, error) {
	return func() (string, error) {
		token, err := os.ReadFile(path)
		return strings.TrimSpace(string(token)), err
	}
}

// Answer is what a request brought.
type Answer struct {
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration
}

// Do sends one request. Target is a path with an optional query, or an absolute URL as the dispatcher hands out for results.
func (c *Client) Do(ctx context.Context, method, target string, body any) (Answer, error) {
	if !strings.Contains(target, "://") {
		target = c.BaseURL + target
	}
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return Answer{}, err
	}
	token, err := c.Token()
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // the body has been read
	data, err := io.ReadAll(resp.Body)
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: data, RetryAfter: time.Duration(seconds) * time.Second}, err
}

// Count is what one stream of calls met.
type Count struct {
	Stream string `json:"stream"`
	// Sent = Answered + Accepted + Refused + Errors.
	Sent int `json:"sent"`
	// Answered by the CRM at once.
	Answered int `json:"answered"`
	// Accepted with a 202 for later.
	Accepted int `json:"accepted"`
	// Refused by the dispatcher or the CRM.
	Refused int `json:"refused"`
	// Errors are connections that broke and answers that were neither.
	Errors int `json:"errors"`
	// Drained, Failed and Open say how the accepted ones ended by the time the load stopped looking.
	Drained int `json:"drained"`
	Failed  int `json:"failed"`
	Open    int `json:"open"`
	// P50ms and P99ms are the times of answered calls, in milliseconds.
	P50ms int64 `json:"p50ms"`
	P99ms int64 `json:"p99ms"`
	// FirstError is the first of Errors.
	FirstError string `json:"firstError,omitempty"`
}

// Tally collects a stream's Count; safe for concurrent use.
type Tally struct {
	mu        sync.Mutex
	count     Count
	latencies []time.Duration
	results   []string
}

// NewTally starts a count.
func NewTally(stream string) *Tally { return &Tally{count: Count{Stream: stream}} }

// Add counts one request.
func (t *Tally) Add(answer Answer, took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count.Sent++
	switch {
	case err != nil:
		t.fail(err.Error())
	case answer.Status == http.StatusAccepted:
		t.count.Accepted++
		t.results = append(t.results, answer.Header.Get("Location"))
	case answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusServiceUnavailable:
		t.count.Refused++
	case answer.Status < 300:
		t.count.Answered++
		t.latencies = append(t.latencies, took)
	default:
		t.fail(fmt.Sprintf("status %d: %.200s", answer.Status, answer.Body))
	}
}

func (t *Tally) fail(text string) {
	t.count.Errors++
	if t.count.FirstError == "" {
		t.count.FirstError = text
	}
}

// Result returns the count so far.
func (t *Tally) Result() Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	sorted := slices.Sorted(slices.Values(t.latencies))
	if n := len(sorted); n > 0 {
		t.count.P50ms, t.count.P99ms = sorted[n/2].Milliseconds(), sorted[n*99/100].Milliseconds()
	}
	return t.count
}

// Follow asks for the result of every accepted call until all have ended or ctx ends.
func (t *Tally) Follow(ctx context.Context, c *Client) {
	t.mu.Lock()
	open := slices.Clone(t.results)
	t.mu.Unlock()
	for len(open) > 0 && ctx.Err() == nil {
		// The oldest is the next to end: one long poll, then a look at those behind it.
		ended := c.result(ctx, open[0]+"?wait=20")
		if ended == "" {
			continue
		}
		t.end(ended)
		open = open[1:]
	}
	t.mu.Lock()
	t.count.Open = len(open)
	t.mu.Unlock()
}

// result returns the state of an accepted call that has ended, or "".
func (c *Client) result(ctx context.Context, location string) string {
	answer, err := c.Do(ctx, http.MethodGet, location, nil)
	var body struct {
		State string `json:"state"`
	}
	if err != nil || json.Unmarshal(answer.Body, &body) != nil {
		sleep(ctx, time.Second)
		return ""
	}
	switch body.State {
	case "succeeded", "failed", "dead":
		return body.State
	case "parked":
		sleep(ctx, time.Second)
	}
	return ""
}

func (t *Tally) end(state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if state == "succeeded" {
		t.count.Drained++
		return
	}
	t.count.Failed++
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
