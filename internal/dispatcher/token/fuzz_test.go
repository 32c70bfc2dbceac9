// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// FuzzSubject: with no key that could have signed it, whatever looks like a token speaks for nobody.
func FuzzSubject(f *testing.F) {
	f.Add(`{"keys":[]}`, "eyJhbGciOiJub25lIn0.e30.")
	f.Add(`{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}`, "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJpIn0.AA")
	f.Add(`null`, "..")
	f.Fuzz(func(t *testing.T, keys, raw string) {
		v, err := NewVerifier([]contract.TokenIssuer{{Issuer: "i", Keys: json.RawMessage(keys)}})
		if err != nil {
			return
		}
		if subject, err := v.Subject(time.Unix(1_800_000_000, 0), raw, "audience"); err == nil {
			t.Errorf("%q speaks for %q", raw, subject)
		}
	})
}
