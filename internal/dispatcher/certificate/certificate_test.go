// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func openAuthority(t *testing.T, path string, now time.Time) *Authority {
	t.Helper()
	a, err := OpenAuthority(path, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verify holds a certificate against what a client does that trusts only the CA.
func verify(a *Authority, pair *tls.Certificate, host string, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(a.PEM()))
	_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: now})
	return err
}

func TestTheAuthorityIsStableAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	first := openAuthority(t, path, start)
	second := openAuthority(t, path, start.Add(8*365*24*time.Hour))
	if first.PEM() != second.PEM() {
		t.Error("the CA changed although it is valid for another two years")
	}
	if third := openAuthority(t, path, start.Add(9*365*24*time.Hour+time.Hour)); third.PEM() == first.PEM() {
		t.Error("the CA was kept although it has less than a year left")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the directory, %v; want 1", len(entries), err)
	}
}

func TestADamagedAuthorityIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(path, start); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
}

func TestOwnCertificatesCoverTheHostsAndAreRenewed(t *testing.T) {
	a := openAuthority(t, filepath.Join(t.TempDir(), "ca.pem"), start)
	intake := &contract.Intake{Hosts: []string{"zendesk.svc", "10.96.0.7"}}
	s := NewSource(a, "", func() *contract.Intake { return intake })
	own := func(now time.Time) *tls.Certificate {
		t.Helper()
		pair, err := s.Own(now)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}

	first := own(start)
	for _, host := range intake.Hosts {
		if err := verify(a, first, host, start.Add(-30*time.Minute)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := verify(a, first, "localhost", start); err == nil {
		t.Error("it covers localhost although the plan does not")
	}
	if own(start.Add(19*24*time.Hour)) != first {
		t.Error("it was renewed too early")
	}
	renewed := own(start.Add(21 * 24 * time.Hour))
	if renewed == first || verify(a, renewed, "zendesk.svc", start.Add(50*24*time.Hour)) != nil {
		t.Error("it was not renewed")
	}
	intake = &contract.Intake{Hosts: []string{"other.svc"}}
	if err := verify(a, own(start), "other.svc", start); err != nil {
		t.Errorf("after the hosts changed: %v", err)
	}
	intake = nil
	if err := verify(a, own(start), "localhost", start); err != nil {
		t.Errorf("without a plan: %v", err)
	}
}

// writeSecret writes the certificate for a host as a mounted Secret, with a time of change of its own.
func writeSecret(t *testing.T, dir string, pair *tls.Certificate, changed time.Time) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tls.crt")
	err = errors.Join(
		os.WriteFile(path, certificatePEM(pair.Leaf.Raw), 0o600),
		os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
		os.Chtimes(path, changed, changed),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheSecretsCertificateIsServedAndReloaded(t *testing.T) {
	dir, issuerDir := t.TempDir(), t.TempDir()
	a := openAuthority(t, filepath.Join(t.TempDir(), "ca.pem"), start)
	issuer := openAuthority(t, filepath.Join(issuerDir, "ca.pem"), start)
	intake := &contract.Intake{Hosts: []string{"zendesk.svc"}, CertificateFromSecret: true}
	s := NewSource(a, dir, func() *contract.Intake { return intake })
	served := func(now time.Time) *tls.Certificate {
		t.Helper()
		pair, err := s.Intake(now)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	now := start
	report := func(wantError string) {
		t.Helper()
		got := s.Report(now)
		if (wantError == "") != (got.Error == "") || !strings.Contains(got.Error, wantError) {
			t.Errorf("error %q, want %q", got.Error, wantError)
		}
		if wantCA := wantError != ""; wantCA != (got.CAPEM == a.PEM()) {
			t.Errorf("the CA is reported: %v, want %v", got.CAPEM != "", wantCA)
		}
	}

	if err := verify(a, served(now), "zendesk.svc", now); err != nil {
		t.Errorf("without the Secret: %v", err)
	}
	report("missing")

	for _, host := range []string{"first.example", "second.example"} {
		now = now.Add(2 * time.Second)
		pair, err := issuer.Issue(start, []string{host})
		if err != nil {
			t.Fatal(err)
		}
		writeSecret(t, dir, pair, now)
		if err := verify(issuer, served(now), host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		report("")
	}

	now = start.Add(leafLifetime + time.Minute)
	if err := verify(a, served(now), "zendesk.svc", now); err != nil {
		t.Errorf("after the Secret's has expired: %v", err)
	}
	report("expired on 2026-12-23T12:00:00Z")

	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Second)
	report("cannot be used")
}

func TestReportWithoutSecret(t *testing.T) {
	a := openAuthority(t, filepath.Join(t.TempDir(), "ca.pem"), start)
	for name, test := range map[string]struct {
		intake *contract.Intake
		want   contract.CertificateReport
	}{
		"an own certificate names its CA": {&contract.Intake{}, contract.CertificateReport{CAPEM: a.PEM()}},
		"clear text needs none":           {&contract.Intake{PlainHTTP: true}, contract.CertificateReport{}},
		"nothing is known without a plan": {nil, contract.CertificateReport{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSource(a, "", func() *contract.Intake { return test.intake })
			if diff := cmp.Diff(test.want, s.Report(start)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
