// SPDX-License-Identifier: Apache-2.0

// Package sealing encrypts what a store holds of calls. Data keys encrypt contents and lie in the store; wrapping keys encrypt data keys and come from a Secret. Who
// has the volume alone can read nothing, and without a data key what it encrypted is gone for good.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// keyBytes is the length of every key.
const keyBytes = 32

var (
	// ErrNoKey says that there is no wrapping key to make or open a data key with. Nothing is lost: it can go on when the key is back.
	ErrNoKey = errors.New("the encryption key is missing")
	// ErrDamaged says that what was encrypted is not what is there, or it stands in another place.
	ErrDamaged = errors.New("what is encrypted cannot be opened")
)

// Wrapping is a wrapping key.
type Wrapping struct {
	id   string
	aead cipher.AEAD
}

// ParseWrapping reads a wrapping key: 32 random bytes in standard base64, perhaps with a line break at the end. Its error does not hold the value. Bytes as they are
// would not be told from a password of 32 letters.
func ParseWrapping(value []byte) (*Wrapping, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimRight(string(value), "\r\n"))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("it must be %d random bytes in base64", keyBytes)
	}
	aead, err := newAEAD(key, "crmquota wrapping of data keys, AES-256-GCM")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("crmquota wrapping key\x00"), key...))
	return &Wrapping{id: hex.EncodeToString(sum[:8]), aead: aead}, nil
}

// ID tells wrapping keys apart: a part of the key's hash.
func (w *Wrapping) ID() string { return w.id }

// Wrapped is a data key as it is stored.
type Wrapped struct {
	// By is the ID of the wrapping key.
	By string `json:"by"`
	// Key is encrypted and has its nonce in front.
	Key []byte `json:"key"`
}

// NewKey makes a data key for a place in the store, and wraps it.
func (w *Wrapping) NewKey(place []byte) (*Key, Wrapped, error) {
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails
	key, err := newKey(secret)
	return key, w.wrap(secret, place), err
}

// Open unwraps the data key of a place. Its errors are ErrNoKey, if another key wrapped it, and ErrDamaged.
func (w *Wrapping) Open(sealed Wrapped, place []byte) (*Key, error) {
	secret, err := w.unwrap(sealed, place)
	if err != nil {
		return nil, err
	}
	return newKey(secret)
}

func (w *Wrapping) wrap(secret, place []byte) Wrapped {
	return Wrapped{By: w.id, Key: w.aead.Seal(nil, nil, secret, place)}
}

func (w *Wrapping) unwrap(sealed Wrapped, place []byte) ([]byte, error) {
	if sealed.By != w.id {
		return nil, fmt.Errorf("%w: the one of which the hash begins with %s", ErrNoKey, sealed.By)
	}
	secret, err := w.aead.Open(nil, nil, sealed.Key, place)
	if err != nil {
		return nil, ErrDamaged
	}
	return secret, nil
}

// newAEAD derives a key for one purpose, so that no key is used for two.
func newAEAD(key []byte, purpose string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, purpose, keyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
