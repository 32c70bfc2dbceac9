// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Lengths of a signing key in bytes. Source: the specification of Standard Webhooks, on symmetric secrets.
const minKey, maxKey = 24, 64

// keysOf reads the signing keys of a mounted Secret, in the order of their names: the values that begin with contract.SigningKeyPrefix. Other values are not looked at.
// The error says in words, and without a value, why there are none to use.
func keysOf(secrets fs.FS, secret string) ([][]byte, error) {
	missing := fmt.Errorf("the Secret %s is missing, or has no value that begins with %s", secret, contract.SigningKeyPrefix)
	if secrets == nil {
		return nil, missing
	}
	entries, err := fs.ReadDir(secrets, secret)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("the Secret %s cannot be read: %w", secret, err)
	}
	var keys [][]byte
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "..") { // how the kubelet changes all files at once
			continue
		}
		value, err := fs.ReadFile(secrets, secret+"/"+name)
		if err != nil {
			return nil, fmt.Errorf("the Secret %s: key %q cannot be read: %w", secret, name, err)
		}
		encoded, is := strings.CutPrefix(strings.TrimRight(string(value), "\r\n"), contract.SigningKeyPrefix)
		if !is {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) < minKey || len(key) > maxKey {
			return nil, fmt.Errorf("the Secret %s: what follows %s in key %q is not %d to %d bytes in base64", secret, contract.SigningKeyPrefix, name, minKey, maxKey)
		}
		keys = append(keys, key)
	}
	switch {
	case len(keys) == 0:
		return nil, missing
	case len(keys) > contract.MaxSigningKeys:
		return nil, fmt.Errorf("the Secret %s has %d signing keys, more than %d", secret, len(keys), contract.MaxSigningKeys)
	}
	return keys, nil
}

// signatures is the value of the header webhook-signature: one signature for each key, so that keys can be changed without a gap.
func signatures(keys [][]byte, id string, at time.Time, body []byte) string {
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}
