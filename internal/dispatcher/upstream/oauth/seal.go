// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
)

// sealed is what the vault holds of a refresh token, as JSON.
type sealed struct {
	// Seed is a hash of the Secret's refresh token from which this one has come by rotation.
	Seed []byte `json:"seed"`
	// Salt of the key, which is derived from the client's secret: who has the volume and not the Secret has nothing.
	Salt []byte `json:"salt"`
	// Token is encrypted by AES-256-GCM and has its nonce in front.
	Token []byte `json:"token"`
}

// errSealed: the client's secret is not the one that the token was sealed with.
var errSealed = errors.New("sealed with another secret")

// seedOf hashes the Secret's refresh token.
func seedOf(token string) []byte {
	sum := sha256.Sum256([]byte("crmquota refresh seed\x00" + token))
	return sum[:]
}

// seal encrypts the newest refresh token of a grant.
func seal(g *Grant, newest string) ([]byte, error) {
	s := sealed{Seed: seedOf(g.RefreshToken), Salt: make([]byte, 16)}
	_, _ = rand.Read(s.Salt) // never fails
	aead, err := s.aead(g.ClientSecret)
	if err != nil {
		return nil, err
	}
	s.Token = aead.Seal(nil, nil, []byte(newest), s.bound(g))
	return json.Marshal(s)
}

// unseal returns the refresh token to go on with: the one that was kept if it descends from the Secret's, else the Secret's. It returns errSealed when the
// kept one is the newest but cannot be read.
func unseal(g *Grant, kept []byte) (string, error) {
	if kept == nil {
		return g.RefreshToken, nil
	}
	var s sealed
	if err := json.Unmarshal(kept, &s); err != nil {
		return "", errors.New("the store holds a malformed refresh token")
	}
	if !bytes.Equal(s.Seed, seedOf(g.RefreshToken)) {
		return g.RefreshToken, nil
	}
	aead, err := s.aead(g.ClientSecret)
	if err != nil {
		return "", err
	}
	newest, err := aead.Open(nil, nil, s.Token, s.bound(g))
	if err != nil {
		return "", errSealed
	}
	return string(newest), nil
}

func (s *sealed) aead(secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), s.Salt, "crmquota refresh token, AES-256-GCM", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is what a sealed token belongs to and cannot be moved from.
func (s *sealed) bound(g *Grant) []byte {
	return append([]byte(g.Name+"\x00"+g.ClientID+"\x00"), s.Seed...)
}
