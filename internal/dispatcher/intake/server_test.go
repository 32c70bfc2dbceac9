// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/certificate"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/serve"
)

// server serves f over real connections. The returned client trusts its CA; plain turns TLS off for new connections.
func server(t *testing.T, f *fake) (address string, client *http.Client, plain *atomic.Bool) {
	t.Helper()
	authority, err := certificate.OpenAuthority(filepath.Join(t.TempDir(), "ca.pem"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	source := certificate.NewSource(authority, "", func() *contract.Intake { return &contract.Intake{Hosts: []string{"127.0.0.1"}} })
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain = new(atomic.Bool)
	in := newIntake(f)
	s := serve.New(serve.Options{Handler: in, Certificate: source.Intake, Plain: plain.Load, Log: in.Log})
	done := make(chan error, 1)
	go func() { done <- s.Serve(inner) }()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority.PEM()))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Stop(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return inner.Addr().String(), &http.Client{Transport: transport}, plain
}

func TestTheServerSpeaksTLSAndBothVersionsOfHTTP(t *testing.T) {
	f := &fake{plan: newPlan()}
	address, client, plain := server(t, f)
	get := func(c *http.Client, scheme string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+address+"/api/v2/search", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+ccaiKey)
		response, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return response
	}
	if got := get(client, "https"); got.ProtoMajor != 2 || got.StatusCode != http.StatusOK {
		t.Errorf("HTTP/%d, %d", got.ProtoMajor, got.StatusCode)
	}
	old := client.Transport.(*http.Transport).Clone()
	old.ForceAttemptHTTP2, old.TLSClientConfig.NextProtos, old.TLSNextProto = false, []string{"http/1.1"}, map[string]func(string, *tls.Conn) http.RoundTripper{}
	defer old.CloseIdleConnections()
	if got := get(&http.Client{Transport: old}, "https"); got.ProtoMajor != 1 || got.StatusCode != http.StatusOK {
		t.Errorf("HTTP/%d, %d", got.ProtoMajor, got.StatusCode)
	}
	plain.Store(true)
	if got := get(client, "http"); got.TLS != nil || got.StatusCode != http.StatusOK {
		t.Errorf("in clear text: %d", got.StatusCode)
	}
}

// exchangeRaw sends text on a connection of its own and returns the first line of the answer.
func exchangeRaw(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestTheServerHoldsRequestsToTheirBounds(t *testing.T) {
	f := &fake{plan: newPlan()}
	address, _, plain := server(t, f)
	plain.Store(true)
	head := "Host: zendesk.svc\r\nAuthorization: Bearer " + ccaiKey + "\r\n"
	for name, test := range map[string]struct{ request, want string }{
		"a good request":            {"GET /a HTTP/1.1\r\n" + head + "\r\n", "200 OK"},
		"a header of 40 KiB":        {"GET /a HTTP/1.1\r\n" + head + "X: " + strings.Repeat("x", 40<<10) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		"a body announced too long": {fmt.Sprintf("POST /a HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n", head, maxUpload+1), "413 Request Entity Too Large"},
		"a chunked body too long":   {fmt.Sprintf("POST /a HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", head, maxBody+1, strings.Repeat("x", maxBody+1)), "413 Request Entity Too Large"},
		"a body that is not chunks": {"POST /a HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n", "408 Request Timeout"},
		"two lengths":               {"POST /a HTTP/1.1\r\n" + head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400 Bad Request"},
		"two hosts":                 {"GET /a HTTP/1.1\r\nHost: other\r\n" + head + "\r\n", "400 Bad Request"},
		"no host":                   {"GET /a HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"},
		"a proxy's request":         {"GET http://evil.com/a HTTP/1.1\r\n" + head + "\r\n", "400 Bad Request"},
		"dots":                      {"GET /a/../b HTTP/1.1\r\n" + head + "\r\n", "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exchangeRaw(t, address, test.request); got != "HTTP/1.1 "+test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := len(f.calls); got != 1 {
		t.Errorf("%d calls were sent, want 1", got)
	}
}

func TestAClientThatGoesWithdrawsItsCall(t *testing.T) {
	f := &fake{plan: newPlan()}
	arrived, gone := make(chan struct{}), make(chan struct{})
	f.do = func(ctx context.Context, _ *call.Call, _ time.Duration) (*call.Answer, error) {
		close(arrived)
		<-ctx.Done()
		close(gone)
		return nil, ctx.Err()
	}
	address, _, plain := server(t, f)
	plain.Store(true)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+ccaiKey+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-arrived
	_ = conn.Close()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Fatal("the call goes on")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := &fake{plan: newPlan()}
	in := newIntake(f)
	if !in.memory.TryAcquire(maxMemory) {
		t.Fatal("memory is in use before the first request")
	}
	w := httptest.NewRecorder()
	in.ServeHTTP(w, request("POST", "/a", "{}"))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Crmquota-Reason") != "Overloaded" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	in.memory.Release(maxMemory)
	in.ServeHTTP(httptest.NewRecorder(), request("POST", "/a", "{}"))
	tooLong := request("POST", "/a", strings.Repeat("x", maxBody+1))
	tooLong.ContentLength = -1
	in.ServeHTTP(httptest.NewRecorder(), tooLong)
	if len(f.calls) != 1 || !in.memory.TryAcquire(maxMemory) {
		t.Error("memory is not given back")
	}
}
