// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// expired is a server whose certificate has run out, and a client's settings that trust its issuer.
func expired(t *testing.T) (*httptest.Server, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour), DNSNames: []string{"acme.crm.test"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return server, &tls.Config{RootCAs: roots, ServerName: "acme.crm.test", MinVersion: tls.VersionTLS12}
}

// TestWithoutTheCRMNothingIsSent: a name that cannot be looked up, and a certificate that has run out, cost no quota, and the call can be sent again.
func TestWithoutTheCRMNothingIsSent(t *testing.T) {
	server, trust := expired(t)
	noNames := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}}
	cases := map[string]struct {
		dial func(context.Context, string, string) (net.Conn, error)
		says string
	}{
		"the name cannot be looked up": {dial: noNames.DialContext, says: "lookup acme.crm.test"},
		"the certificate has run out": {
			dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
			}, says: "expired",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			client := New(Options{Dialer: byPipe(c.dial), TLS: trust, Credentials: Credentials{Files: fstest.MapFS{"token": {Data: []byte("s3cret")}}}, Now: time.Now})
			t.Cleanup(client.Close)
			to := bearer
			to.Endpoint = "https://acme.crm.test"
			o := client.Send(t.Context(), Issue(), to, &call.Call{Method: http.MethodPost, Target: "/x?query=secret", Body: []byte("{}")})
			if o.Err == nil || o.Answer != nil || o.Sent {
				t.Fatalf("the outcome is %+v, want an error and nothing sent", o)
			}
			if text := o.Err.Error(); !strings.Contains(text, c.says) || strings.Contains(text, "secret") {
				t.Errorf("the error is %q", text)
			}
		})
	}
}
