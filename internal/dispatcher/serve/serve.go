// SPDX-License-Identifier: Apache-2.0

// Package serve runs the dispatcher's HTTP servers: bounded in what a client can hold, and TLS or clear text by connection.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// maxHeader of a request, in bytes; net/http adds 4 KiB of its own.
	maxHeader  = 28 << 10
	headerTime = 10 * time.Second
	idleTime   = 120 * time.Second
)

// Options of a Server. Handler and Log are required.
type Options struct {
	// Address is host and port, as net.Listen takes them.
	Address string
	Handler http.Handler
	// Certificate serves TLS with what it returns for each handshake; nil for clear text.
	Certificate func(now time.Time) (*tls.Certificate, error)
	// Plain, if set, is asked for each connection and turns TLS off.
	Plain func() bool
	Log   *slog.Logger
}

// Server serves HTTP/1.1 and, over TLS, HTTP/2. How long a body and an answer may take is up to the handler, since calls may wait for minutes.
type Server struct {
	options Options
	http    *http.Server
}

// New returns a server that Run starts.
func New(o Options) *Server {
	return &Server{options: o, http: &http.Server{
		Handler:           o.Handler,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		// Failed handshakes and the like are the clients' affair.
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}}
}

// Run serves until Stop. The end of ctx only keeps it from starting.
func (s *Server) Run(ctx context.Context) error {
	inner, err := new(net.ListenConfig).Listen(ctx, "tcp", s.options.Address)
	if err != nil {
		return err
	}
	return s.Serve(inner)
}

// Serve is Run on a listener that exists already.
func (s *Server) Serve(inner net.Listener) error {
	if err := s.http.Serve(newListener(inner, s.options)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Fade has clients open a new connection for their next request, elsewhere if this server is no longer announced.
func (s *Server) Fade() { s.http.SetKeepAlivesEnabled(false) }

// Stop ends the server when its requests have ended, or cuts them off when ctx ends.
func (s *Server) Stop(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // whoever still waits has had his time
	}
}

// listener decides for each connection whether it is TLS, so that a plan can change that without a restart.
type listener struct {
	net.Listener
	plain  func() bool
	config *tls.Config
}

func newListener(inner net.Listener, o Options) net.Listener {
	if o.Certificate == nil {
		return inner
	}
	plain := o.Plain
	if plain == nil {
		plain = func() bool { return false }
	}
	return &listener{Listener: inner, plain: plain, config: &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return o.Certificate(time.Now()) },
	}}
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || l.plain() {
		return conn, err
	}
	return tls.Server(conn, l.config), nil
}
