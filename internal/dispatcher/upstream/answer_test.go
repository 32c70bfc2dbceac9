// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// long serves one answer of size bytes in parts and counts what has left.
func long(size int, left *atomic.Int64) func(*crm, net.Conn) {
	return func(c *crm, conn net.Conn) {
		c.read(bufio.NewReader(conn))
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size); err != nil {
			return
		}
		part := []byte(strings.Repeat("x", 64<<10))
		for rest := size; rest > 0; rest -= len(part) {
			n, err := conn.Write(part[:min(len(part), rest)])
			left.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

func TestAnswerIsReadAtOurPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left atomic.Int64
		server := &crm{serve: long(MaxBuffered, &left)}
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, get())
		if o.Err != nil || o.Rest != nil || o.Ended.IsZero() {
			t.Fatalf("the outcome is %+v, want one that has ended", o)
		}
		synctest.Wait() // for the CRM to count its last part
		if left.Load() != MaxBuffered {
			t.Errorf("%d bytes have left the CRM before anybody read, want all", left.Load())
		}
		if n := len(body(t, o.Answer)); n != MaxBuffered {
			t.Errorf("the answer has %d bytes", n)
		}
	})
}

func TestLongAnswerIsReadAtTheClientsPace(t *testing.T) {
	const size = 3 * MaxBuffered
	cases := map[string]struct {
		read     func(*testing.T, io.ReadCloser)
		complete bool
	}{
		"to its end": {complete: true, read: func(t *testing.T, b io.ReadCloser) {
			t.Helper()
			if n, err := io.Copy(io.Discard, b); n != size || err != nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		}},
		"in part": {read: func(t *testing.T, b io.ReadCloser) {
			t.Helper()
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left atomic.Int64
				server := &crm{serve: long(size, &left)}
				o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, get())
				if o.Err != nil || o.Rest == nil {
					t.Fatalf("the outcome is %+v, want one with a rest", o)
				}
				time.Sleep(2 * ResponseTimeout) // a client may think for as long as it likes
				if n := left.Load(); n > MaxBuffered+1<<20 {
					t.Errorf("%d bytes have left the CRM before anybody read", n)
				}
				began := time.Now()
				go func() {
					time.Sleep(time.Minute)
					c.read(t, o.Answer.Body)
				}()
				ended, complete := o.Rest.Wait()
				if complete != c.complete || ended.Sub(began) != time.Minute {
					t.Errorf("it ended after %s, complete %v, want 1m0s and %v", ended.Sub(began), complete, c.complete)
				}
			})
		})
	}
}

func TestLongAnswerEndsWithTheDispatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left atomic.Int64
		server := &crm{serve: long(3*MaxBuffered, &left)}
		ctx, cancel := context.WithCancel(t.Context())
		o := newClient(t, server.dial).Send(ctx, Issue(), bearer, get())
		cancel()
		if _, complete := o.Rest.Wait(); complete {
			t.Error("the answer was complete although nobody read it")
		}
	})
}

func TestRequestAsTheCRMSeesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering(ok(`{"users":[]}`))}
		what := &call.Call{
			Method: http.MethodPost, Target: "/api/v2/tickets.json?a=b%2Fc&d", Body: []byte(`{"ticket":{}}`),
			Header: http.Header{
				"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}, "X-Kept": {"1", "2"},
				"Authorization": {"Bearer of-the-client"}, "Cookie": {"session=of-the-client"}, "Proxy-Authorization": {"Basic x"},
				"Connection": {"X-Hop"}, "X-Hop": {"1"}, "Expect": {"100-continue"},
			},
		}
		o := newClient(t, server.dial).Send(t.Context(), Issue(), bearer, what)
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		if got := body(t, o.Answer); got != `{"users":[]}` {
			t.Errorf("the answer is %q", got)
		}
		seen := server.last.Load()
		want := http.Header{
			"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}, "X-Kept": {"1", "2"}, "Content-Length": {"13"},
			"Authorization": {"Bearer s3cret"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"crmquota-dispatcher"},
		}
		if diff := cmp.Diff(want, seen.Header); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		if seen.RequestURI != what.Target || seen.Host != "acme.crm.test" {
			t.Errorf("the request line has %q at %q", seen.RequestURI, seen.Host)
		}
	})
}

// TestCookiesAreNotKept: ServiceNow serves one call at a time of a session, and drops those that wait with 202 when there are more than ten.
func TestCookiesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering("HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=1; Path=/\r\nContent-Length: 0\r\n\r\n")}
		client := newClient(t, server.dial)
		for range 2 {
			o := client.Send(t.Context(), Issue(), bearer, get())
			if o.Err != nil || o.Answer.Header.Get("Set-Cookie") == "" {
				t.Fatalf("the answer has no cookie: %v", o.Err)
			}
			if cookies := server.last.Load().Header["Cookie"]; cookies != nil {
				t.Errorf("a request has %v", cookies)
			}
		}
	})
}

func TestCredentials(t *testing.T) {
	basic := contract.Credentials{Basic: &contract.BasicKeys{Username: "user", Password: "pass"}}
	header := contract.Credentials{Header: &contract.HeaderKeys{Header: "X-Api-Key", Value: "key"}}
	cases := map[string]struct {
		files fstest.MapFS
		kind  contract.Credentials
		want  http.Header
		says  contract.CredentialsReport
	}{
		"basic, without the new line of an editor": {
			files: fstest.MapFS{"user": file("me/token\n"), "pass": file("s3cret\n")}, kind: basic,
			want: http.Header{"Authorization": {"Basic bWUvdG9rZW46czNjcmV0"}},
		},
		"a header of the CRM's own": {
			files: fstest.MapFS{"key": file("s3cret")}, kind: header, want: http.Header{"X-Api-Key": {"s3cret"}},
		},
		"a token with the scheme of Zoho": {
			files: fstest.MapFS{"token": file("s3cret")}, kind: contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}, Scheme: "Zoho-oauthtoken"},
			want: http.Header{"Authorization": {"Zoho-oauthtoken s3cret"}},
		},
		"a key that is missing": {
			files: fstest.MapFS{"user": file("me")}, kind: basic,
			says: contract.CredentialsReport{Message: `the credentials Secret lacks the key "pass"`},
		},
		"a host that is listed": {
			files: fstest.MapFS{"key": file("s3cret"), "hosts": file("other.test\nACME.crm.test\n")}, kind: header,
			want: http.Header{"X-Api-Key": {"s3cret"}},
		},
		"a host that is not listed": {
			files: fstest.MapFS{"key": file("s3cret"), "hosts": file("other.test\n")}, kind: header,
			says: contract.CredentialsReport{HostNotAllowed: true, Message: "the credentials Secret does not list this host under hosts"},
		},
		"a list without a host": {
			files: fstest.MapFS{"key": file("s3cret"), "hosts": file("")}, kind: header,
			says: contract.CredentialsReport{HostNotAllowed: true, Message: "the credentials Secret does not list this host under hosts"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			credentials := Credentials{Files: c.files}
			c.says.Resolved = c.want != nil
			if diff := cmp.Diff(c.says, credentials.Check(Destination{Endpoint: bearer.Endpoint, Credentials: c.kind})); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
			var got http.Header
			if signed, err := credentials.sign(t.Context(), Destination{Endpoint: bearer.Endpoint, Credentials: c.kind}); err == nil {
				got = signed.header
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsSentWithoutCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crm{serve: answering(ok("{}"))}
		client := New(Options{Dialer: byPipe(server.dial), Credentials: Credentials{Files: fstest.MapFS{}}, Now: time.Now})
		if o := client.Send(t.Context(), Issue(), bearer, get()); o.Err == nil || o.Sent || server.arrivals.Load() != 0 {
			t.Errorf("the outcome is %+v, want nothing sent", o)
		}
	})
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
