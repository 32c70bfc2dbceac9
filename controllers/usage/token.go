// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// TokenFile is the path of the manager's own projected token, which dispatchers ask it for. The kubelet renews the file.
type TokenFile string

// Read returns the token, or "" when there is no such file: the manager then runs outside a cluster.
func (f TokenFile) Read() (string, error) {
	token, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(token)), err
}

// Subject says whose token it is, as system:serviceaccount:<namespace>:<name>, or "" when there is no file. The signature is not looked at: it is our own
// token, and dispatchers check it.
func (f TokenFile) Subject() (string, error) {
	token, err := f.Read()
	if err != nil || token == "" {
		return "", err
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("%s: not a JSON Web Token", f)
	}
	encoded, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("%s: claims are not base64: %w", f, err)
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(encoded, &claims); err != nil {
		return "", fmt.Errorf("%s: claims are not JSON: %w", f, err)
	}
	if claims.Subject == "" {
		return "", fmt.Errorf("%s: the token names no subject", f)
	}
	return claims.Subject, nil
}

// Namespace of a subject; "" when it is not a service account.
func Namespace(subject string) string {
	rest, ok := strings.CutPrefix(subject, "system:serviceaccount:")
	if !ok {
		return ""
	}
	namespace, _, _ := strings.Cut(rest, ":")
	return namespace
}
