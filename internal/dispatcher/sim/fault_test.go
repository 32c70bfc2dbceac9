// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// fault is what is wrong with the CRM, or with the way to it.
type fault struct {
	// answer takes the place of the CRM; nil if it answers as always.
	answer func(w http.ResponseWriter, r *http.Request, crm http.Handler)
	// dial says why no connection is made; nil if they are.
	dial func(ctx context.Context) error
	// certificate is what the CRM shows; nil if it has none, or its own.
	certificate *tls.Certificate
	// long: some answers are longer than what is kept of them.
	long bool
}

// atLength has every eighth answer be longer than what is kept of one.
func atLength() *fault {
	var n atomic.Int64
	f := spoils(func(w http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
		padding := 0
		if n.Add(1)%8 == 0 {
			padding = 5 << 20
		}
		pass(w, answer, nil, padding)
	})
	f.long = true
	return f
}

// crmHost is the CRM's name in worlds in which it is spoken to by TLS.
const crmHost = "acme.zendesk.test"

// front is what stands before the simulated CRM and goes wrong at times.
type front struct {
	crm         http.Handler
	certificate *tls.Certificate
	fault       atomic.Pointer[fault]
	// receiver is told of results, at a host of its own; nil in worlds in which nobody is.
	receiver *receiver
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.receiver != nil && r.Host == receiverHost {
		f.receiver.ServeHTTP(w, r)
		return
	}
	if now := f.fault.Load(); now != nil && now.answer != nil {
		now.answer(w, r, f.crm)
		return
	}
	f.crm.ServeHTTP(w, r)
}

func (f *front) shown(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if now := f.fault.Load(); now != nil && now.certificate != nil {
		return now.certificate, nil
	}
	return f.certificate, nil
}

// reachable waits as long as it takes to find out that the CRM cannot be reached.
func (f *front) reachable(ctx context.Context) error {
	if now := f.fault.Load(); now != nil && now.dial != nil {
		return now.dial(ctx)
	}
	return nil
}

// says answers each request without the CRM.
func says(status int, body string, header ...string) *fault {
	return &fault{answer: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client may have gone
	}}
}

// refuses is Zendesk's refusal for quota, with this Retry-After if it is not empty.
func refuses(after string) *fault {
	const body = `{"error":"APIRateLimitExceeded","description":"Number of allowed API requests per minute exceeded"}`
	if after == "" {
		return says(http.StatusTooManyRequests, body)
	}
	return says(http.StatusTooManyRequests, body, "Retry-After", after)
}

// spoils has the CRM execute each request, and then does something else with its answer.
func spoils(how func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder)) *fault {
	return &fault{answer: func(w http.ResponseWriter, r *http.Request, crm http.Handler) {
		answer := httptest.NewRecorder()
		crm.ServeHTTP(answer, r)
		how(w, r, answer)
	}}
}

// begin writes the header of an answer that says to be so long, and half of the body.
func begin(w http.ResponseWriter, answer *httptest.ResponseRecorder, length int) {
	maps.Copy(w.Header(), answer.Header())
	w.Header().Del("Content-Length") // without it the body is sent in chunks
	if length > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2]) // the client may have gone
	_ = http.NewResponseController(w).Flush()                 // as above
}

// breakOff ends the connection.
func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// untilGone waits until the client has heard enough. That is noticed only when its request was read.
func untilGone(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the client may have gone
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// pass hands an answer on with other headers.
func pass(w http.ResponseWriter, answer *httptest.ResponseRecorder, header map[string]string, padding int) {
	maps.Copy(w.Header(), answer.Header())
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()+padding))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
	if padding == 0 {
		return
	}
	_, _ = w.Write(bytes.Repeat([]byte{' '}, padding-1))
	time.Sleep(restAfter)
	_, _ = w.Write([]byte{' '})
}

// restAfter is how long the end of a long answer is waited for.
const restAfter = 10 * time.Second

// tells has each answer tell something else of the account's rate.
func tells(header func(n int64) (limit, remaining string)) *fault {
	var n atomic.Int64
	return spoils(func(w http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
		limit, remaining := header(n.Add(1))
		pass(w, answer, map[string]string{
			"X-Rate-Limit": limit, "X-Rate-Limit-Remaining": remaining, "Ratelimit-Limit": limit, "Ratelimit-Remaining": remaining, "Ratelimit-Reset": "30",
		}, 0)
	})
}

// issuer signs certificates.
type issuer struct {
	t    *testing.T
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: inTenYears(), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if i.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return i
}

// issue makes a certificate for a host that ends at a time.
func (i *issuer) issue(host string, end time.Time) *tls.Certificate {
	i.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: end, DNSNames: []string{host}, KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, i.root, i.key.Public(), i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}
}

// trust is what the dispatcher goes by.
func (i *issuer) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(i.root)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// listener is where the CRM takes connections.
func (f *front) listener(n *network) net.Listener {
	if f.certificate == nil {
		return n
	}
	return tls.NewListener(n, &tls.Config{GetCertificate: f.shown, MinVersion: tls.VersionTLS12})
}

// told is what is seen of a fault: by a client that waits, and by who reads the report about an integration whose calls wait.
type told struct {
	status         int
	reason, detail string
	waiting        string
	contradicted   bool
}

// suffer has the fault last for a while within the load, and notes in the middle of it what is told.
func (w *world) suffer(ctx context.Context) {
	sleep(ctx, w.faultAfter)
	w.front.fault.Store(w.fault)
	if w.fault.answer == nil { // connections that are there would still do
		w.onMachine(func(m *machine) { m.link.hangUp() })
	}
	sleep(ctx, w.faultLasts/2)
	w.told = w.witness(ctx)
	sleep(ctx, w.faultLasts/2)
	w.onMachine(func(m *machine) {
		if snap, err := m.Scheduler.Snapshot(context.WithoutCancel(ctx)); err == nil { // else it is about to die
			w.backlogThen = snap.Backlog.Queued
		}
	})
	w.front.fault.Store(nil)
	w.faultEnded = time.Now()
}

// noteRecovery notes how long after the end of a fault the CRM executed the next call, and the last one.
func (w *world) noteRecovery(v *verdict) {
	ended := w.faultEnded.Add(w.crm.ClockOffset)
	for _, a := range w.server.Arrivals() {
		if a.Outcome != judge.Answered || !a.Received.After(ended) {
			continue
		}
		after := a.Received.Sub(ended)
		v.recovery, v.drained = cmp.Or(v.recovery, after), after
	}
	v.told, v.backlogThen = w.told, w.backlogThen
}

// witness is a client that waits and wants problems in the standard's words.
func (w *world) witness(ctx context.Context) told {
	for ctx.Err() == nil {
		m := w.machine.Load()
		if m == nil {
			sleep(ctx, time.Second)
			continue
		}
		r := w.newRequest(ctx, 0, request{method: http.MethodGet, target: "/api/v2/users/search?query=a"})
		r.Header.Set("Accept", "application/problem+json")
		answer := httptest.NewRecorder()
		m.serve(answer, r)
		if m.dead.Load() {
			continue
		}
		said := told{status: answer.Code, reason: answer.Header().Get(contract.HeaderReason)}
		var problem struct{ Detail string }
		if json.Unmarshal(answer.Body.Bytes(), &problem) == nil {
			said.detail = problem.Detail
		}
		w.report(ctx, m.Scheduler, &said)
		return said
	}
	return told{}
}

// report adds what the report says: why calls wait, and whether the CRM contradicts itself.
func (w *world) report(ctx context.Context, s *scheduler.Scheduler, said *told) {
	snap, err := s.Snapshot(context.WithoutCancel(ctx))
	if err != nil { // the machine is about to die
		return
	}
	for _, i := range snap.Integrations {
		if i.Waiting != nil {
			said.waiting += i.Waiting.Detail + "\n"
		}
	}
	for _, limit := range snap.Windows {
		said.contradicted = said.contradicted || limit.Contradicted
	}
}
