// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// dropsSecond answers the first request of a connection and closes it after reading the second: what a server does that reaches its idle limit, or dies.
func dropsSecond(c *crm, conn net.Conn) {
	r := bufio.NewReader(conn)
	if c.read(r) {
		if _, err := io.WriteString(conn, ok("{}")); err != nil {
			return
		}
		c.read(r)
	}
}

// dropsUnread answers the first request and closes as soon as the second begins.
func dropsUnread(c *crm, conn net.Conn) {
	r := bufio.NewReader(conn)
	if c.read(r) {
		if _, err := io.WriteString(conn, ok("{}")); err != nil {
			return
		}
		_, _ = r.Peek(1) // that it began is all that matters
	}
}

func requests() map[string]*call.Call {
	return map[string]*call.Call{
		"GET":                       get(),
		"DELETE":                    {Method: http.MethodDelete, Target: "/x", Repeat: call.Repeat{Class: call.RepeatIdempotent}},
		"POST":                      {Method: http.MethodPost, Target: "/x", Body: []byte("{}")},
		"POST with Idempotency-Key": {Method: http.MethodPost, Target: "/x", Body: []byte("{}"), Header: http.Header{"Idempotency-Key": {"k"}}},
		"empty POST with a key":     {Method: http.MethodPost, Target: "/x", Header: http.Header{"Idempotency-Key": {"k"}}},
		"PUT":                       {Method: http.MethodPut, Target: "/x", Body: []byte("{}"), Repeat: call.Repeat{Class: call.RepeatIdempotent}},
	}
}

// TestOneRequestPerCharge sends each kind of request twice over one connection that breaks during the second.
func TestOneRequestPerCharge(t *testing.T) {
	for name, what := range requests() {
		t.Run(name+", closed after reading", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &crm{serve: dropsSecond}
				client := newClient(t, server.dial)
				if o := client.Send(t.Context(), Issue(), bearer, what); o.Err != nil {
					t.Fatal(o.Err)
				}
				o := client.Send(t.Context(), Issue(), bearer, what)
				if o.Err == nil || !o.Sent {
					t.Errorf("the second outcome is %+v, want an error after sending", o)
				}
				if n := server.arrivals.Load(); n != 2 {
					t.Errorf("%d requests arrived under 2 charges", n)
				}
			})
		})
		t.Run(name+", closed before reading", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &crm{serve: dropsUnread}
				client := newClient(t, server.dial)
				for range 2 {
					client.Send(t.Context(), Issue(), bearer, what)
				}
				if n := server.arrivals.Load(); n != 1 {
					t.Errorf("%d requests arrived, want the first only", n)
				}
			})
		})
	}
}

// TestTransportWouldSendAgain shows that the case is real: Go's transport by itself sends a GET three times for two.
func TestTransportWouldSendAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: dropsSecond}
		transport := &http.Transport{DialContext: server.dial}
		defer transport.CloseIdleConnections()
		for range 2 {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://acme.crm.test/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := transport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if n := server.arrivals.Load(); n != 3 {
			t.Errorf("%d requests arrived, expected that it takes 3", n)
		}
	})
}

func TestChargeIsForOneRequest(t *testing.T) {
	used := Issue()
	if err := used.use(); err != nil {
		t.Fatal(err)
	}
	for name, charge := range map[string]*Charge{"none": nil, "the zero value": {}, "a used one": used} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &crm{serve: answering(ok("{}"))}
				o := newClient(t, server.dial).Send(t.Context(), charge, bearer, get())
				if !errors.Is(o.Err, ErrNoCharge) || o.Sent {
					t.Errorf("the outcome is %+v, want ErrNoCharge and nothing sent", o)
				}
				if n := server.arrivals.Load(); n != 0 {
					t.Errorf("%d requests arrived", n)
				}
			})
		})
	}
}

func TestRedirectIsHandedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n")}
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, get())
		if o.Err != nil || o.Answer.Status != http.StatusFound || o.Answer.Header.Get("Location") != "http://elsewhere.test/" {
			t.Errorf("the outcome is %+v", o)
		}
		if n := server.arrivals.Load(); n != 1 {
			t.Errorf("%d requests arrived", n)
		}
	})
}

func TestUnsafeCallsUseFreshConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		server := &crm{serve: answering(ok("{}"))}
		client := newClient(t, func(ctx context.Context, network, address string) (net.Conn, error) {
			dials++
			return server.dial(ctx, network, address)
		})
		post := &call.Call{Method: http.MethodPost, Target: "/x", Body: []byte("{}")}
		for _, pause := range []time.Duration{0, time.Second, 3 * time.Second} {
			time.Sleep(pause)
			if o := client.Send(t.Context(), Issue(), bearer, post); o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		if dials != 2 {
			t.Errorf("%d connections were made, want a second one after 3 s of idleness only", dials)
		}
	})
}

func TestNoAnswer(t *testing.T) {
	silent := &crm{serve: func(c *crm, conn net.Conn) {
		c.read(bufio.NewReader(conn))
		_, _ = conn.Read(make([]byte, 1)) // until the client hangs up
	}}
	half := &crm{serve: func(c *crm, conn net.Conn) {
		c.read(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
	}}
	cases := map[string]struct {
		dial func(context.Context, string, string) (net.Conn, error)
		took time.Duration
		sent bool
		says string
	}{
		"no connection can be made":      {dial: refuse, says: "could not be reached"},
		"a connection is never made":     {dial: hang, took: DialTimeout, says: "could not be reached"},
		"the CRM is silent":              {dial: silent.dial, took: ResponseTimeout, sent: true, says: "did not answer within 1m0s"},
		"the answer breaks off half way": {dial: half.dial, sent: true, says: "broke the connection"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				o := newClient(t, c.dial).Send(t.Context(), Issue(), bearer, get())
				if o.Answer != nil || o.Err == nil || !strings.Contains(o.Err.Error(), c.says) {
					t.Errorf("the outcome is %+v, want an error that says %q", o, c.says)
				}
				if o.Sent != c.sent {
					t.Errorf("sent is %v, want %v", o.Sent, c.sent)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				if strings.Contains(o.Err.Error(), "query") || strings.Contains(o.Err.Error(), "s3cret") {
					t.Errorf("the error tells the request or the secret: %v", o.Err)
				}
			})
		})
	}
}

func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("connection refused")
}

func hang(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
