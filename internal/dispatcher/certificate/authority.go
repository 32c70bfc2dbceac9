// SPDX-License-Identifier: Apache-2.0

// Package certificate provides the certificates that a dispatcher serves: from a mounted Secret, or made by itself under a CA of its own that lives on the volume.
package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	caLifetime = 10 * 365 * 24 * time.Hour
	// caRest is how much of its life a CA must have left when the dispatcher starts; with less it is replaced.
	caRest       = 365 * 24 * time.Hour
	leafLifetime = 30 * 24 * time.Hour
	// backdated lets clients in whose clock is behind.
	backdated = time.Hour
)

// Authority is a CA with its private key. Whoever trusts it trusts one dispatcher's volume.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// OpenAuthority reads the CA from a file, or makes one there if there is none or it is about to expire. A file that cannot be read is an error, not a reason for a
// new CA: clients trust the old one.
func OpenAuthority(path string, now time.Time) (*Authority, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeAuthority(path, now)
	case err != nil:
		return nil, fmt.Errorf("read the CA: %w", err)
	}
	a, err := parseAuthority(data)
	if err != nil {
		return nil, fmt.Errorf("the CA in %s cannot be used; remove the file to make a new one, which all clients then have to trust: %w", path, err)
	}
	if now.After(a.certificate.NotAfter.Add(-caRest)) {
		return makeAuthority(path, now)
	}
	return a, nil
}

func parseAuthority(data []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, err
	}
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !isECDSA || !pair.Leaf.IsCA {
		return nil, errors.New("it is not a CA with an ECDSA key")
	}
	return &Authority{certificate: pair.Leaf, key: key, pem: certificatePEM(pair.Leaf.Raw)}, nil
}

func makeAuthority(path string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "crm-quota-operator dispatcher CA"},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.Add(caLifetime),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyRaw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	data := append(certificatePEM(raw), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyRaw})...)
	if err := writeDurably(path, data); err != nil {
		return nil, fmt.Errorf("store the CA: %w", err)
	}
	return parseAuthority(data)
}

func certificatePEM(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}

// PEM is the CA's certificate.
func (a *Authority) PEM() string { return string(a.pem) }

// Issue makes a certificate for host names and addresses. Its chain includes the CA, so that a client that has not seen it yet can pin it.
func (a *Authority) Issue(now time.Time, hosts []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "crm-quota-operator dispatcher"},
		NotBefore:   now.Add(-backdated),
		NotAfter:    now.Add(leafLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{raw, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// writeDurably replaces a file as a whole: after a power loss there is the old one or the new one.
func writeDurably(path string, data []byte) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, writeErr := bytes.NewReader(data).WriteTo(file)
	if err := errors.Join(writeErr, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}
