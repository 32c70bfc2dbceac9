// Package pki makes the certificates of a cluster: short-lived, in files only its own processes read.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Lifetime of every certificate; a cluster is made anew more often than that.
const Lifetime = 90 * 24 * time.Hour

// skew tolerates clocks that run behind when a certificate is new.
const skew = 5 * time.Minute

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// Subject is what a certificate says about its holder.
type Subject struct {
	CommonName    string
	Organizations []string
	// DNS and IPs are the names a server is reached by. A certificate with any is a server's, else a client's.
	DNS []string
	IPs []net.IP
}

// Pair is a certificate with its private key, both PEM encoded.
type Pair struct{ Certificate, Key []byte }

// NewAuthority makes a self-signed authority that is valid from now.
func NewAuthority(name string, now time.Time) (*Authority, Pair, error) {
	template, err := newTemplate(pkix.Name{CommonName: name}, now)
	if err != nil {
		return nil, Pair{}, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, Pair{}, err
	}
	return sign(template, template, key, key)
}

// Issue makes a key and a certificate for the subject that is valid from now.
func (a *Authority) Issue(subject Subject, now time.Time) (Pair, error) {
	template, err := newTemplate(pkix.Name{CommonName: subject.CommonName, Organization: subject.Organizations}, now)
	if err != nil {
		return Pair{}, err
	}
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(subject.DNS)+len(subject.IPs) > 0 {
		template.DNSNames, template.IPAddresses = subject.DNS, subject.IPs
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	_, pair, err := sign(template, a.certificate, key, a.key)
	return pair, err
}

func newTemplate(name pkix.Name, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{SerialNumber: serial, Subject: name, NotBefore: now.Add(-skew), NotAfter: now.Add(Lifetime)}, nil
}

// sign certifies the public part of key with the signer of the parent certificate.
func sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey, signer crypto.Signer) (*Authority, Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, Pair{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, Pair{}, err
	}
	encodedKey, err := encodeKey(key)
	if err != nil {
		return nil, Pair{}, err
	}
	return &Authority{certificate, key}, Pair{encode("CERTIFICATE", der), encodedKey}, nil
}

func encodeKey(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("PRIVATE KEY", der), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
