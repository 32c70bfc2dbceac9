// SPDX-License-Identifier: Apache-2.0

package sealing

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

// Key is a data key. It can encrypt some four thousand million contents: nonces are random and of 96 bits. Its methods may be called by many goroutines.
type Key struct {
	aead cipher.AEAD
	mac  []byte
}

func newKey(secret []byte) (*Key, error) {
	aead, err := newAEAD(secret, "crmquota contents of calls, AES-256-GCM")
	if err != nil {
		return nil, err
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "crmquota fingerprints of calls, HMAC-SHA-256", keyBytes)
	return &Key{aead, mac}, err
}

// Seal encrypts content for a place in the store. What it returns is 28 bytes longer than content.
func (k *Key) Seal(content, place []byte) []byte {
	return k.aead.Seal(make([]byte, 0, len(content)+k.aead.Overhead()), nil, content, place)
}

// Open returns what was sealed for the place, or ErrDamaged.
func (k *Key) Open(sealed, place []byte) ([]byte, error) {
	content, err := k.aead.Open(nil, nil, sealed, place)
	if err != nil {
		return nil, ErrDamaged
	}
	return content, nil
}

// Fingerprint hides a hash of what can be guessed: without the key it tells nothing.
func (k *Key) Fingerprint(of []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(of)
	return h.Sum(nil)
}
