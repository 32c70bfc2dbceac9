package pki

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestCertificatesOfTheCluster(t *testing.T) {
	networks, err := layout.NetworksOf(2)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := NewCluster(networks, now)
	if err != nil {
		t.Fatal(err)
	}
	client, server := x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	tests := map[string]struct {
		pair, authority string
		usage           x509.ExtKeyUsage
		host            string // a name or address that must be covered
		wantErr         bool
	}{
		"the API server is reached by its name inside":             {pair: APIServer, authority: CA, usage: server, host: "kubernetes.default.svc"},
		"the API server is reached by the node's address":          {pair: APIServer, authority: CA, usage: server, host: "198.18.2.2"},
		"the API server is reached by its Service's address":       {pair: APIServer, authority: CA, usage: server, host: "198.18.160.1"},
		"the API server is not reached by another cluster's":       {pair: APIServer, authority: CA, usage: server, host: "198.18.0.2", wantErr: true},
		"the kubelet is reached by the node's address":             {pair: KubeletServer, authority: CA, usage: server, host: "198.18.2.2"},
		"the administrator is a client":                            {pair: Admin, authority: CA, usage: client},
		"the administrator is no server":                           {pair: Admin, authority: CA, usage: server, wantErr: true},
		"the API server's certificate does not make it a client":   {pair: APIServer, authority: CA, usage: client, wantErr: true},
		"the front proxy's client is certified by its own CA":      {pair: FrontProxyClient, authority: FrontProxyCA, usage: client},
		"the front proxy's client is not certified by the main CA": {pair: FrontProxyClient, authority: CA, usage: client, wantErr: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			roots.AddCert(parse(t, pairs[test.authority]))
			_, err := parse(t, pairs[test.pair]).Verify(x509.VerifyOptions{
				Roots: roots, CurrentTime: now, DNSName: test.host, KeyUsages: []x509.ExtKeyUsage{test.usage},
			})
			if (err != nil) != test.wantErr {
				t.Errorf("verification says %v, want an error: %t", err, test.wantErr)
			}
		})
	}
}

func TestSubjectsCarryTheNamesThatRolesAreBoundTo(t *testing.T) {
	networks, err := layout.NetworksOf(0)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := NewCluster(networks, now)
	if err != nil {
		t.Fatal(err)
	}
	type subject struct {
		Name   string
		Groups []string
	}
	want := map[string]subject{
		Admin:             {"localcluster-admin", []string{"system:masters"}},
		Kubelet:           {"system:node:node1", []string{"system:nodes"}},
		ControllerManager: {"system:kube-controller-manager", nil},
		Scheduler:         {"system:kube-scheduler", nil},
		Proxy:             {"system:kube-proxy", nil},
		Provisioner:       {"localcluster:volume-provisioner", nil},
	}
	got := map[string]subject{}
	for _, user := range Users() {
		s := parse(t, pairs[user]).Subject
		got[user] = subject{s.CommonName, s.Organization}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestCertificatesAreValidForTheirLifetime(t *testing.T) {
	_, pair, err := NewAuthority("test", now)
	if err != nil {
		t.Fatal(err)
	}
	certificate := parse(t, pair)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	for name, test := range map[string]struct {
		at      time.Time
		wantErr bool
	}{
		"by a clock a minute behind": {at: now.Add(-time.Minute)},
		"just before the end":        {at: now.Add(Lifetime - time.Second)},
		"just after the end":         {at: now.Add(Lifetime + time.Second), wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: test.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			if (err != nil) != test.wantErr {
				t.Errorf("verification at %s says %v, want an error: %t", test.at, err, test.wantErr)
			}
		})
	}
}

func TestKeysBelongToTheirCertificates(t *testing.T) {
	networks, err := layout.NetworksOf(0)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := NewCluster(networks, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range pairs {
		key := parseKey(t, pair)
		if name == ServiceAccounts {
			public, err := x509.ParsePKIXPublicKey(block(t, pair.Certificate))
			if err != nil || !key.(*rsa.PrivateKey).PublicKey.Equal(public) {
				t.Errorf("%s: the public key does not belong to the private one (%v)", name, err)
			}
			continue
		}
		if !key.(*ecdsa.PrivateKey).PublicKey.Equal(parse(t, pair).PublicKey) {
			t.Errorf("%s: the certificate's key is another one", name)
		}
	}
}

func parse(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	certificate, err := x509.ParseCertificate(block(t, pair.Certificate))
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func parseKey(t *testing.T, pair Pair) any {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(block(t, pair.Key))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func block(t *testing.T, encoded []byte) []byte {
	t.Helper()
	decoded, rest := pem.Decode(encoded)
	if decoded == nil || len(rest) > 0 {
		t.Fatalf("not one PEM block: %q", encoded)
	}
	return decoded.Bytes
}
