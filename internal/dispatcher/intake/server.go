// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/tls"
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

// NewServer returns a server, of HTTP/1.1 and HTTP/2, with the bounds that integrations are held to. How long a body and an answer may take is up to the handler,
// since calls may wait for minutes.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		// Failed handshakes and the like are the clients' affair.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Listener decides for each connection whether it is TLS, so that a plan can change that without a restart.
type Listener struct {
	net.Listener
	plain  func() bool
	config *tls.Config
}

// NewListener returns a Listener that serves TLS with the certificates it is given, unless plain says clear text.
func NewListener(inner net.Listener, plain func() bool, certificate func(now time.Time) (*tls.Certificate, error)) *Listener {
	return &Listener{Listener: inner, plain: plain, config: &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate(time.Now()) },
	}}
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || l.plain() {
		return conn, err
	}
	return tls.Server(conn, l.config), nil
}
