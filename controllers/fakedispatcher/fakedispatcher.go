// SPDX-License-Identifier: Apache-2.0

// Package fakedispatcher speaks a dispatcher's report protocol for tests of the control plane: it says that it enforces whatever plan it is given.
package fakedispatcher

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Dispatcher listens on a loopback address of its own, as a pod would.
type Dispatcher struct {
	// Address is the IP of the pod, CA the PEM certificate that the fake's own is signed by.
	Address, CA string

	mu      sync.Mutex
	hosts   []string
	report  contract.Report
	changed chan struct{}
	token   string
	served  int
}

// New starts a fake with a certificate for the host, signed by a CA of its own.
func New(t *testing.T, host string) *Dispatcher {
	t.Helper()
	listener, address := listen(t)
	d := &Dispatcher{Address: address, changed: make(chan struct{})}
	issue, ca := authority(t)
	d.CA = ca
	d.Present(host)
	d.report = contract.Report{
		Schema: contract.ReportSchema, Ready: true, Enforcing: true,
		Credentials: contract.CredentialsReport{Resolved: true},
		Certificate: contract.CertificateReport{CAPEM: ca},
		Endpoint:    contract.EndpointReport{Resolved: true},
	}
	server := &httptest.Server{
		Listener: listener, TLS: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return issue(d.hosts), nil
		}},
		Config: &http.Server{Handler: http.HandlerFunc(d.serve), ErrorLog: log.New(io.Discard, "", 0)}, // clients that go away are no news
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return d
}

// listen takes a loopback address that nobody else uses: the report port is always the same, and other packages' tests run at the same time.
func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	const attempts = 20
	var err error
	for range attempts {
		address := fmt.Sprintf("127.%d.%d.%d", 1+mathrand.N(254), mathrand.N(255), 1+mathrand.N(254))
		var listener net.Listener
		if listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, strconv.Itoa(contract.ReportPort))); err == nil {
			return listener, address
		}
	}
	t.Fatal(err)
	return nil, ""
}

// Present makes new connections get a certificate for these hosts.
func (d *Dispatcher) Present(hosts ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hosts = hosts
}

// Demand makes the fake answer 401 to whoever does not present the token.
func (d *Dispatcher) Demand(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token = token
}

// Served is the number of reports given so far.
func (d *Dispatcher) Served() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.served
}

func (d *Dispatcher) serve(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(wait)*time.Second)
	defer cancel()
	for {
		d.mu.Lock()
		sequence, changed, token := d.report.Sequence, d.changed, d.token
		d.mu.Unlock()
		if token != "" && r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if sequence < after && ctx.Err() == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		_, _ = w.Write(d.read()) // a client that is gone is no news
		return
	}
}

// read encodes the report as it is, and counts that.
func (d *Dispatcher) read() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.served++
	text, err := json.Marshal(d.report)
	if err != nil {
		panic(err) // it has nothing that cannot be encoded
	}
	return text
}

// Edit changes the report.
func (d *Dispatcher) Edit(change func(*contract.Report)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.report)
	close(d.changed)
	d.changed = make(chan struct{})
}

// Enforce puts a plan in force, as the real one does when the file changes.
func (d *Dispatcher) Enforce(plan *contract.Plan) {
	d.Edit(func(r *contract.Report) {
		r.Sequence, r.Generation, r.CRMUID = plan.Sequence, plan.CRM.Generation, plan.CRM.UID
		r.Enforcing = plan.Enforce
		r.Windows, r.Integrations = nil, nil
		for _, limit := range plan.Limits {
			r.Windows = append(r.Windows, contract.WindowReport{Name: limit.Name, Limit: limit.Calls + limit.Concurrent})
		}
		for _, i := range plan.Integrations {
			r.Integrations = append(r.Integrations, contract.IntegrationReport{
				Namespace: i.Namespace, Name: i.Name, UID: i.UID, Generation: i.Generation, Enforcing: i.Enforce,
			})
		}
	})
}

// authority makes a CA that issues certificates.
func authority(t *testing.T) (issue func(hosts []string) *tls.Certificate, caPEM string) {
	t.Helper()
	caKey, ca := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	parent, err := x509.ParseCertificate(ca)
	if err != nil {
		t.Fatal(err)
	}
	issue = func(hosts []string) *tls.Certificate {
		key, der := sign(t, &x509.Certificate{DNSNames: hosts, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, parent, caKey)
		return &tls.Certificate{Certificate: [][]byte{der, ca}, PrivateKey: key}
	}
	return issue, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca}))
}

func sign(t *testing.T, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}
