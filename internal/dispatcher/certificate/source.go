// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// renewAt is the rest of its life at which an own certificate is replaced.
const renewAt = leafLifetime / 3

// lookAgain is how long a mounted certificate is served before its file is looked at again. The kubelet takes longer to bring a change.
const lookAgain = time.Second

// withoutPlan is what the own certificate covers until a plan names the hosts.
var withoutPlan = []string{"localhost"}

// Source chooses the certificate of each handshake, so that a change needs no restart. It is safe for concurrent use.
type Source struct {
	authority *Authority
	secretDir string
	// intake returns what the plan in force says, nil before the first.
	intake func() *contract.Intake

	mu      sync.Mutex
	own     *tls.Certificate
	covers  []string
	mounted mounted
}

// mounted is the certificate of the Secret as it was seen last.
type mounted struct {
	lookedAt time.Time
	changed  time.Time // of the file
	pair     *tls.Certificate
	err      error
}

// NewSource returns a Source. secretDir may be empty or missing.
func NewSource(authority *Authority, secretDir string, intake func() *contract.Intake) *Source {
	return &Source{authority: authority, secretDir: secretDir, intake: intake}
}

// Own returns a certificate of the dispatcher's CA for the hosts in the plan.
func (s *Source) Own(now time.Time) (*tls.Certificate, error) {
	hosts := withoutPlan
	if intake := s.intake(); intake != nil && len(intake.Hosts) > 0 {
		hosts = intake.Hosts
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own != nil && slices.Equal(hosts, s.covers) && now.Before(s.own.Leaf.NotAfter.Add(-renewAt)) {
		return s.own, nil
	}
	made, err := s.authority.Issue(now, hosts)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	s.own, s.covers = made, slices.Clone(hosts)
	return made, nil
}

// Intake returns the certificate that integrations see: the Secret's if the plan says so and it can be used, else an own one.
func (s *Source) Intake(now time.Time) (*tls.Certificate, error) {
	if intake := s.intake(); intake != nil && intake.CertificateFromSecret {
		if pair, err := s.fromSecret(now); err == nil {
			return pair, nil
		}
	}
	return s.Own(now)
}

// Report says what the intake serves at the moment now.
func (s *Source) Report(now time.Time) contract.CertificateReport {
	intake := s.intake()
	switch {
	case intake == nil || intake.PlainHTTP:
		return contract.CertificateReport{}
	case !intake.CertificateFromSecret:
		return contract.CertificateReport{CAPEM: s.authority.PEM()}
	}
	if _, err := s.fromSecret(now); err != nil {
		return contract.CertificateReport{CAPEM: s.authority.PEM(), Error: err.Error()}
	}
	return contract.CertificateReport{}
}

func (s *Source) fromSecret(now time.Time) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.mounted
	if now.Sub(m.lookedAt) >= lookAgain {
		m.look(now, s.secretDir)
	}
	if m.err == nil && now.After(m.pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate in the Secret has expired on %s", m.pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return m.pair, m.err
}

// look reads the Secret's files if they have changed.
func (m *mounted) look(now time.Time, dir string) {
	m.lookedAt = now
	certificate, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	info, err := os.Stat(certificate)
	if err != nil {
		*m = mounted{lookedAt: now, err: fmt.Errorf("the Secret with the certificate is missing, or has no key tls.crt")}
		return
	}
	if m.err == nil && m.pair != nil && info.ModTime().Equal(m.changed) {
		return
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		*m = mounted{lookedAt: now, err: fmt.Errorf("tls.crt and tls.key of the Secret cannot be used: %w", err)}
		return
	}
	*m = mounted{lookedAt: now, changed: info.ModTime(), pair: &pair}
}
