// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream/oauth"
)

// The secrets of these tests. None of them may appear anywhere.
const (
	clientSecret = "the-clients-s3cret"
	seed         = "the-first-refresh-t0ken"
)

// clientKey is what the JWT bearer grant signs with.
var clientKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pemOf(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// The three kinds, as a plan has them.
var (
	byClient = contract.Credentials{Secret: "crm", OAuthClient: &contract.OAuthClientKeys{
		TokenURL: "http://acme.crm.test/oauth/tokens", ClientID: "id", ClientSecret: "secret", Scopes: []string{"read", "write"},
	}}
	byRefresh = contract.Credentials{Secret: "crm", OAuthRefresh: &contract.OAuthRefreshKeys{
		TokenURL: "http://acme.crm.test/oauth/tokens", ClientID: "id", ClientSecret: "secret", RefreshToken: "refresh",
	}}
	byJWT = contract.Credentials{Secret: "crm", OAuthJWT: &contract.OAuthJWTKeys{
		TokenURL: "http://login.crm.test/services/oauth2/token", ClientID: "id", PrivateKey: "key", Subject: "subject", Audience: "https://login.test",
	}}
)

// secretFiles is a mounted Secret that changes.
type secretFiles struct {
	mu    sync.Mutex
	files fstest.MapFS
}

func (s *secretFiles) Open(name string) (fs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files.Open(name)
}

func (s *secretFiles) set(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[key] = file(value)
}

// tokenWorld is a CRM with a token endpoint, and the part of a dispatcher that talks to it.
type tokenWorld struct {
	*testing.T
	sim    *crmsim.Server
	dialed guard.Dial
	dials  atomic.Int64 // connections so far
	files  *secretFiles
	disk   *vfs.MemFS
	machine
}

// machine is one life of the dispatcher.
type machine struct {
	store       *disk.Store
	tokens      *oauth.Tokens
	credentials Credentials
	client      *Client
	said        *bytes.Buffer // what it has said of itself
}

// simulated is a CRM with a client for each grant.
func simulated() crmsim.Config {
	return crmsim.Config{Latency: 100 * time.Millisecond, OAuth: &crmsim.OAuth{
		ClientID: "client", ClientSecret: clientSecret, RefreshToken: seed, Rotate: true, Life: 30 * time.Minute,
		AssertionKey: &clientKey().PublicKey, Subject: "me@acme.test", Audience: "https://login.test",
	}}
}

// withTokens runs a test in virtual time.
func withTokens(t *testing.T, config crmsim.Config, test func(w *tokenWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := crmsim.New(config)
		w := &tokenWorld{T: t, sim: sim, disk: vfs.NewCrashableMem(), files: &secretFiles{files: fstest.MapFS{
			"id": file("client\n"), "secret": file(clientSecret + "\n"), "refresh": file(seed), "key": file(pemOf(clientKey())), "subject": file("me@acme.test"),
		}}}
		network := serveHTTP(t, sim)
		w.dialed = func(ctx context.Context, name, address string) (net.Conn, error) {
			w.dials.Add(1)
			return network(ctx, name, address)
		}
		w.machine = w.powerOn(w.disk, w.dialed)
		defer func() { // also after a failure
			w.shutDown()
			sim.Close()
		}()
		test(w)
	})
}

func (w *tokenWorld) powerOn(volume *vfs.MemFS, dial guard.Dial) machine {
	w.Helper()
	m := machine{said: &bytes.Buffer{}}
	var err error
	m.store, err = disk.Open(disk.Options{
		FS: volume, Dir: "data", Entropy: rand.Reader, Logger: slog.New(slog.NewTextHandler(m.said, nil)), Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		w.Fatal(err)
	}
	m.tokens = oauth.New(oauth.Options{Dialer: byPipe(dial), Vault: m.store, Now: time.Now, Random: fixedRandom()})
	m.credentials = Credentials{Files: w.files, Tokens: m.tokens}
	m.client = New(Options{Dialer: byPipe(dial), Credentials: m.credentials, Now: time.Now})
	return m
}

func fixedRandom() *mathrand.Rand { return mathrand.New(mathrand.NewPCG(1, 1)) } //nolint:gosec // repeatable on purpose

func (w *tokenWorld) shutDown() {
	w.Helper()
	w.tokens.Close()
	w.client.Close()
	if err := w.store.Close(); err != nil {
		w.Error(err)
	}
}

// loseVolatile is a power cut: what is durable is all that is left.
func (w *tokenWorld) loseVolatile() {
	w.Helper()
	left := w.disk.CrashClone(vfs.CrashCloneCfg{})
	w.shutDown()
	w.disk = left
	w.machine = w.powerOn(left, w.dialed)
}

// send sends a harmless call and returns the status of its answer, or 0 and why it was not sent.
func (w *tokenWorld) send(kind contract.Credentials) (status int, err error) {
	w.Helper()
	o := w.client.Send(w.Context(), Issue(), Destination{Endpoint: "http://acme.crm.test", Credentials: kind},
		&call.Call{Method: http.MethodGet, Target: "/api/v2/users/me.json", Repeat: call.Repeat{Class: call.RepeatIdempotent}})
	if o.Answer == nil {
		return 0, o.Err
	}
	_, _ = io.Copy(io.Discard, o.Answer.Body) // from memory
	return o.Answer.Status, nil
}

// want sends a call that must get this status.
func (w *tokenWorld) want(kind contract.Credentials, status int) {
	w.Helper()
	if got, err := w.send(kind); got != status {
		w.Errorf("the call gets %d, %v; want %d", got, err, status)
	}
}

func (w *tokenWorld) check(kind contract.Credentials) contract.CredentialsReport {
	return w.credentials.Check(Destination{Endpoint: "http://acme.crm.test", Credentials: kind})
}

// wantTokens compares how many tokens were issued.
func (w *tokenWorld) wantTokens(issued int) {
	w.Helper()
	if got := w.sim.Report().TokenRequests["issued"]; got != issued {
		w.Errorf("%d tokens were issued, want %d", got, issued)
	}
}

// silent holds a text against the secrets.
func silent(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{clientSecret, seed, "PRIVATE KEY"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret appears in %q", text)
		}
	}
}

// serveHTTP serves every address with the handler, through pipes, until the test ends.
func serveHTTP(t *testing.T, handler http.Handler) guard.Dial {
	t.Helper()
	network := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(network) }) // it ends by Close only
	t.Cleanup(func() {
		_ = server.Close() // pipes close without error
		serving.Wait()
	})
	return network.dial
}

// pipes is a listener that hands the far end of each connection to its server.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.accept <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "crm", Net: "pipe"} }
