// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	// requestTime bounds a request, from the making of the connection to the header of the answer and what is read of its body. Source: the specification of Standard
	// Webhooks recommends 15 to 30 s; who is told at least once can be asked again, and a stopping dispatcher waits for it.
	requestTime = 10 * time.Second
	// What is read of an answer: enough that the connection can be used again after one of the usual ones.
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 4 << 10
	// mostRetryAfter is the longest pause that a receiver can ask for.
	mostRetryAfter = time.Hour
	userAgent      = "crmquota-dispatcher"
)

// NewTransport returns what carries requests to receivers: connections by dial, certificates by the system's roots, no proxy.
func NewTransport(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	return &http.Transport{
		DialContext: dial, TLSHandshakeTimeout: requestTime, MaxIdleConns: maxFlights, MaxIdleConnsPerHost: perEndpoint, IdleConnTimeout: time.Minute,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// receiver is who is told, and how.
type receiver struct {
	url  string
	keys [][]byte
	// crm is its name with its namespace, results the URL that its results stand under.
	crm, results string
	// gone: the integration has no endpoint of that name any more. missing: the integration or the keys are not there now.
	gone, missing bool
}

// receiver finds who is told of a queue's callbacks. An integration that is not there may come back, as calls that it has queued wait for it, too.
func (s *Sender) receiver(plan *contract.Plan, q backlog.CallbackQueue) receiver {
	for i := range plan.Integrations {
		one := &plan.Integrations[i]
		if one.Key() != q.Integration {
			continue
		}
		url := one.Callbacks.URLOf(q.Endpoint)
		if url == "" {
			return receiver{gone: true}
		}
		keys, err := keysOf(s.options.Secrets, one.Callbacks.Secret)
		return receiver{
			url: url, keys: keys, missing: err != nil,
			crm: plan.CRM.Namespace + "/" + plan.CRM.Name, results: strings.TrimSuffix(plan.Intake.URL, "/") + contract.ResultsPath,
		}
	}
	return receiver{missing: true}
}

// message is the body of a callback. Nothing that the call sent or the CRM answered is in it: that is to be had by the link, by who may.
type message struct {
	// Type is "call." and the state.
	Type string `json:"type"`
	// Timestamp is when the call got into the state.
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID          call.ID    `json:"id"`
	CRM         string     `json:"crm"`
	Integration string     `json:"integration"`
	State       call.State `json:"state"`
	// Status of the CRM's answer; absent without one.
	Status     int       `json:"status,omitempty"`
	AcceptedAt time.Time `json:"acceptedAt"`
	// Result is the URL of the result resource.
	Result string `json:"result"`
}

func body(to receiver, c backlog.Callback) []byte {
	encoded, err := json.Marshal(message{
		Type: "call." + string(c.State), Timestamp: c.At.UTC(),
		Data: data{
			ID: c.ID, CRM: to.crm, Integration: c.Integration, State: c.State, Status: c.Status, AcceptedAt: c.AcceptedAt.UTC(), Result: to.results + string(c.ID),
		},
	})
	if err != nil { // all of it is of types that encode
		panic(err)
	}
	return encoded
}

// outcome is what became of a request.
type outcome struct {
	// status of the answer; 0 if none came.
	status int
	// detail says in words why the callback was not taken.
	detail string
	// retryAfter is the pause that the receiver asked for.
	retryAfter time.Duration
}

func (o outcome) taken() bool { return o.status >= 200 && o.status <= 299 }

// gone: the receiver does not want to be told ever.
func (o outcome) gone() bool { return o.status == http.StatusGone }

// send makes one request. It outlives the end of Run's context, within requestTime.
func (s *Sender) send(to receiver, c backlog.Callback) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	content, at := body(to, c), time.Now() // the receiver compares it with its own clock
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(content))
	if err != nil {
		return outcome{detail: "the endpoint's URL cannot be used"}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Webhook-Id", c.MessageID())
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("Webhook-Signature", signatures(to.keys, c.MessageID(), at, content))
	answer, err := s.options.Transport.RoundTrip(r)
	switch {
	case ctx.Err() != nil:
		return outcome{detail: fmt.Sprintf("no answer came within %s", requestTime)}
	case err != nil:
		return outcome{detail: "no answer came: " + words(err)}
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxBodyBytes) // the status tells all
	_ = answer.Body.Close()
	return outcome{
		status: answer.StatusCode, detail: fmt.Sprintf("the answer was %d %s", answer.StatusCode, http.StatusText(answer.StatusCode)),
		retryAfter: retryAfter(answer.Header),
	}
}

// words are those of an error of the transport without addresses, which change with each attempt.
func words(err error) string {
	if op, is := errors.AsType[*net.OpError](err); is {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// retryAfter reads the seconds that a receiver asks to be left alone; 0 if it does not, or names a date.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, mostRetryAfter)
}
