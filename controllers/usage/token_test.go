// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokenFile(t *testing.T) {
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	tests := map[string]struct {
		content, subject, wrong string
	}{
		"a service account's token": {content: jwt(`{"sub":"system:serviceaccount:crm-quota-system:crm-quota-manager"}`) + "\n", subject: "system:serviceaccount:crm-quota-system:crm-quota-manager"},
		"no token":                  {content: "hello", wrong: "not a JSON Web Token"},
		"no base64":                 {content: "a.?.c", wrong: "base64"},
		"no JSON":                   {content: jwt("?"), wrong: "not JSON"},
		"no subject":                {content: jwt("{}"), wrong: "names no subject"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			subject, err := TokenFile(path).Subject()
			if test.wrong == "" && (err != nil || subject != test.subject) {
				t.Errorf("subject %q, error %v; want %q", subject, err, test.subject)
			}
			if test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
				t.Errorf("error %v, want one about %q", err, test.wrong)
			}
		})
	}
}

func TestNoTokenFileMeansOutsideACluster(t *testing.T) {
	missing := TokenFile(filepath.Join(t.TempDir(), "none"))
	subject, err := missing.Subject()
	token, err2 := missing.Read()
	if subject != "" || token != "" || err != nil || err2 != nil {
		t.Errorf("subject %q, token %q, errors %v, %v; want nothing of all", subject, token, err, err2)
	}
}

func TestNamespaceOfASubject(t *testing.T) {
	for subject, want := range map[string]string{
		"system:serviceaccount:crm-quota-system:crm-quota-manager": "crm-quota-system",
		"somebody": "",
		"":         "",
	} {
		if got := Namespace(subject); got != want {
			t.Errorf("%q: %q, want %q", subject, got, want)
		}
	}
}
