// SPDX-License-Identifier: Apache-2.0

// Package upstream holds the only connections to the CRM. Every call to it leaves through Client.Send, which consumes a single-use charge and puts at most one
// request on the wire: nothing is sent again, redirects are handed back, no proxy stands between. Requests for access tokens are made by package oauth, without
// a charge.
package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

const (
	// DialTimeout bounds the making of a connection; TLS has as long again.
	DialTimeout = 10 * time.Second
	// ResponseTimeout is how long we listen for an answer, and for each further part of one that is longer than MaxBuffered.
	ResponseTimeout = 60 * time.Second
	// MaxBuffered is how many bytes of an answer are read at once, whatever the pace of the client. More is read as the client reads.
	MaxBuffered = 4 << 20
	// maxHeaderBytes bounds the header of an answer.
	maxHeaderBytes = 64 << 10
	// Connections kept for later calls. Servers close idle ones when they like; a request on its way then is lost, so calls that must not be repeated use
	// connections that were idle for a moment only.
	maxIdle   = 64
	idleAny   = 60 * time.Second
	idleOnce  = 2 * time.Second
	userAgent = "crmquota-dispatcher"
)

// Options of a Client.
type Options struct {
	// Dialer returns how connections are made in a network.
	Dialer      func(contract.Network) guard.Dial
	Credentials Credentials
	// TLS to the CRM; nil for the system's roots.
	TLS *tls.Config
	// Now is the dispatcher's timeline.
	Now func() time.Time
}

// Client sends calls to one CRM. Its methods may be called by many goroutines.
type Client struct {
	options Options
	// Connections of one network are never used for calls to the other.
	public, private connections
}

// connections of one network. The two kinds differ in how long one may have been idle.
type connections struct {
	repeatable, once *http.Transport
}

// Destination is where calls go and how they are signed.
type Destination struct {
	Endpoint string
	// Network says which addresses the endpoint and the credentials' token endpoint may have.
	Network     contract.Network
	Credentials contract.Credentials
}

// To is where calls go that are signed with some of a plan's credentials.
func To(plan *contract.Plan, credentials contract.Credentials) Destination {
	return Destination{Endpoint: plan.Endpoint, Network: plan.Network, Credentials: credentials}
}

// Outcome is what became of one request.
type Outcome struct {
	// Answer is the CRM's, nil if none was read. Its body must be closed.
	Answer *call.Answer
	// Err says why there is no answer. It names nothing of the request.
	Err error
	// Sent is false only when surely not a byte left for the CRM.
	Sent bool
	// Began is when the request began to be written, Ended when its answer was read to the end or listening ended.
	Began, Ended time.Time
	// Rest is set when the answer is longer than MaxBuffered: it has not ended then, and Ended is unset.
	Rest *Rest
}

// New returns a client without connections.
func New(o Options) *Client {
	return &Client{options: o, public: connectionsIn(contract.NetworkPublic, o), private: connectionsIn(contract.NetworkPrivate, o)}
}

func connectionsIn(network contract.Network, o Options) connections {
	dial := o.Dialer(network)
	return connections{repeatable: transport(dial, o.TLS, idleAny), once: transport(dial, o.TLS, idleOnce)}
}

// transport speaks HTTP/1.1: an HTTP/2 stack sends a request again when the server says that it refused the stream.
func transport(dial guard.Dial, trust *tls.Config, idle time.Duration) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, DialTimeout)
			defer cancel()
			return dial(ctx, network, address)
		},
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    DialTimeout,
		Protocols:              protocols,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idle,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// Close drops idle connections.
func (c *Client) Close() {
	for _, of := range []connections{c.public, c.private} {
		of.repeatable.CloseIdleConnections()
		of.once.CloseIdleConnections()
	}
}

// Send puts one request on the wire and reads its answer. When ctx ends it stops listening.
func (c *Client) Send(ctx context.Context, charge *Charge, to Destination, what *call.Call) Outcome {
	now := c.options.Now
	ctx, cancel := context.WithCancel(ctx)
	signed, err := c.sign(ctx, to, what)
	if err != nil {
		cancel()
		return Outcome{Err: err, Began: now(), Ended: now()}
	}
	connected := &atomic.Bool{}
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	deadline := time.AfterFunc(ResponseTimeout, cancel)
	request, err := c.request(traced, to, what, signed.header, deadline)
	if err == nil {
		err = charge.use()
	}
	if err != nil {
		signed.answered(0)
		deadline.Stop()
		cancel()
		return Outcome{Err: err, Began: now(), Ended: now()}
	}
	began := now()
	response, err := c.transportFor(to, what).RoundTrip(request)
	if err != nil {
		signed.answered(0)
		timedOut := !deadline.Stop()
		cancel()
		return Outcome{Err: explain(err, timedOut), Sent: connected.Load(), Began: began, Ended: now()}
	}
	signed.answered(response.StatusCode)
	o := Outcome{Sent: true, Began: began, Answer: &call.Answer{Status: response.StatusCode, Header: call.KeepEndToEnd(response.Header)}}
	c.readAnswer(ctx, &o, response, deadline, cancel)
	return o
}

// sign returns the signature of a call: by its client's own credential if it has one.
func (c *Client) sign(ctx context.Context, to Destination, what *call.Call) (*signature, error) {
	if what.Credential != nil {
		return &signature{header: what.Credential.Header(), answered: func(int) {}}, nil
	}
	return c.options.Credentials.sign(ctx, to)
}

func (c *Client) transportFor(to Destination, what *call.Call) *http.Transport {
	of := c.public
	if to.Network == contract.NetworkPrivate {
		of = c.private
	}
	if what.Repeat.Class == call.RepeatNever {
		return of.once
	}
	return of.repeatable
}

// readAnswer reads up to MaxBuffered bytes at our pace: a slow client must not keep a charge from ending.
func (c *Client) readAnswer(ctx context.Context, o *Outcome, response *http.Response, deadline *time.Timer, cancel context.CancelFunc) {
	var buffer bytes.Buffer
	body := response.Body
	if said := response.ContentLength; said > 0 && said <= MaxBuffered {
		buffer.Grow(int(said) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(body, MaxBuffered+1))
	switch {
	case err != nil:
		timedOut := !deadline.Stop()
		*o = Outcome{Err: explain(err, timedOut), Sent: true, Began: o.Began, Ended: c.options.Now()}
	case n <= MaxBuffered:
		deadline.Stop()
		o.Ended = c.options.Now()
		o.Answer.Body = io.NopCloser(&buffer)
	default:
		o.Rest = newRest(ctx, body, deadline, cancel, c.options.Now)
		o.Answer.Body = o.Rest.after(&buffer)
		return
	}
	_ = body.Close() // it was read to the end, or is given up
	cancel()
}

// request builds the request as the CRM is to see it. The deadline is put off while a body comes in that is sent as it comes.
func (c *Client) request(ctx context.Context, to Destination, what *call.Call, signed http.Header, deadline *time.Timer) (*http.Request, error) {
	endpoint, err := url.Parse(to.Endpoint)
	if err != nil {
		return nil, errors.New("the plan's endpoint is not a URL")
	}
	target, err := url.ParseRequestURI(what.Target)
	if err != nil {
		return nil, errors.New("the call's target is not in origin form")
	}
	target.Scheme, target.Host = endpoint.Scheme, endpoint.Host
	header := call.EndToEnd(what.Header)
	for _, name := range clientOnly {
		delete(header, name)
	}
	maps.Copy(header, signed)
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", userAgent)
	}
	return (&http.Request{
		Method: what.Method, URL: target, Host: endpoint.Host, Header: header, Body: bodyOf(what, deadline), ContentLength: length(what),
	}).WithContext(ctx), nil
}

// bodyOf is the body of a call. Go's transport sends a request again when a reused connection breaks, unless it has a body that cannot be had twice. So every
// request has one, an empty one too; NoBody would not do. It is of a kind of which the transport knows that it is in memory: that leaves in one piece with the
// header.
func bodyOf(what *call.Call, deadline *time.Timer) io.ReadCloser {
	if what.Stream != nil {
		return io.NopCloser(&unhurried{what.Stream.Body, deadline})
	}
	return io.NopCloser(bytes.NewReader(what.Body))
}

func length(what *call.Call) int64 {
	if what.Stream != nil {
		return what.Stream.Length
	}
	return int64(len(what.Body))
}

// unhurried is a body that the CRM cannot have sooner than it comes in.
type unhurried struct {
	body     io.Reader
	deadline *time.Timer
}

// Read implements io.Reader.
func (u *unhurried) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if n > 0 && u.deadline.Stop() { // else it is too late
		u.deadline.Reset(ResponseTimeout)
	}
	return n, err
}

// explain puts an error of the transport into words without the request's target.
func explain(err error, timedOut bool) error {
	if timedOut {
		return fmt.Errorf("the CRM did not answer within %s", ResponseTimeout)
	}
	if refusal, is := errors.AsType[*guard.Refusal](err); is {
		return fmt.Errorf("the CRM's host is not called: %w", refusal)
	}
	if u, is := errors.AsType[*url.Error](err); is {
		err = u.Err
	}
	return fmt.Errorf("the CRM could not be reached or broke the connection: %w", err)
}
