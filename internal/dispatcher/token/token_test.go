// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	issuer   = "https://kubernetes.default.svc"
	audience = "crmquota.dev/contact-centre/zendesk"
	subject  = "system:serviceaccount:contact-centre:adapter"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// keys are an issuer's two key pairs.
type keys struct {
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newKeys(t *testing.T) keys {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return keys{ec, rsaKey}
}

func (k keys) verifier(t *testing.T) *Verifier {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.ec.Public(), KeyID: "ec", Algorithm: "ES256", Use: "sig"},
		{Key: k.rsa.Public(), KeyID: "rsa", Algorithm: "RS256", Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier([]contract.TokenIssuer{{Issuer: issuer, Keys: set}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// claims of a good token, changed by the test.
func claims(change func(*jwt.Claims)) jwt.Claims {
	c := jwt.Claims{
		Issuer: issuer, Subject: subject, Audience: jwt.Audience{audience, "https://other"},
		IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)),
		Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}
	if change != nil {
		change(&c)
	}
	return c
}

func TestGoodTokensNameTheirSubject(t *testing.T) {
	k := newKeys(t)
	v := k.verifier(t)
	for name, raw := range map[string]string{
		"signed with ES256":   sign(t, jose.ES256, k.ec, "ec", claims(nil)),
		"signed with RS256":   sign(t, jose.RS256, k.rsa, "rsa", claims(nil)),
		"without a key ID":    sign(t, jose.RS256, k.rsa, "", claims(nil)),
		"a whole day":         sign(t, jose.ES256, k.ec, "ec", claims(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(maxLifetime - time.Minute)) })),
		"by a clock a bit on": sign(t, jose.ES256, k.ec, "ec", claims(func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(now.Add(20 * time.Second)) })),
	} {
		t.Run(name, func(t *testing.T) {
			if !LooksLike(raw) {
				t.Error("it does not look like a token")
			}
			if got, err := v.Subject(now, raw, audience); err != nil || got != subject {
				t.Errorf("Subject() = %q, %v", got, err)
			}
		})
	}
}

func TestBadTokensAreRefusedWithTheirReason(t *testing.T) {
	k, stranger := newKeys(t), newKeys(t)
	v := k.verifier(t)
	es256 := func(change func(*jwt.Claims)) string { return sign(t, jose.ES256, k.ec, "ec", claims(change)) }
	publicKey, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := es256(nil)
	parts := strings.Split(good, ".")

	for name, test := range map[string]struct{ raw, want string }{
		"no algorithm":                  {unsigned(t), "not signed with RS256 or ES256"},
		"HS256 with the public key":     {sign(t, jose.HS256, publicKey, "rsa", claims(nil)), "not signed with RS256 or ES256"},
		"an algorithm that is not used": {sign(t, jose.RS512, k.rsa, "rsa", claims(nil)), "not signed with RS256 or ES256"},
		"a stranger's key":              {sign(t, jose.ES256, stranger.ec, "ec", claims(nil)), "signature does not fit"},
		"a stranger's key without ID":   {sign(t, jose.ES256, stranger.ec, "", claims(nil)), "signature does not fit"},
		"a key ID that is not known":    {sign(t, jose.ES256, k.ec, "other", claims(nil)), "signature does not fit"},
		"changed claims":                {parts[0] + "." + encode(`{"iss":"`+issuer+`","sub":"root"}`) + "." + parts[2], "signature does not fit"},
		"another issuer":                {es256(func(c *jwt.Claims) { c.Issuer = "https://evil" }), "issuer is not known"},
		"another audience":              {es256(func(c *jwt.Claims) { c.Audience = jwt.Audience{"crmquota.dev/contact-centre/other"} }), "not meant for the audience"},
		"no audience":                   {es256(func(c *jwt.Claims) { c.Audience = nil }), "not meant for the audience"},
		"expired":                       {es256(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Minute)) }), "expired"},
		"no expiry":                     {es256(func(c *jwt.Claims) { c.Expiry = nil }), "does not say when"},
		"no time of issue":              {es256(func(c *jwt.Claims) { c.IssuedAt = nil }), "does not say when"},
		"not valid yet":                 {es256(func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Minute)) }), "not valid yet"},
		"a lifetime over a day":         {es256(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(maxLifetime)) }), "longer than 24h"},
		"no subject":                    {es256(func(c *jwt.Claims) { c.Subject = "" }), "no subject"},
		"claims of another type":        {sign(t, jose.ES256, k.ec, "ec", map[string]any{"iss": 5}), "cannot be read"},
		"no token at all":               {"a.b.c", "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := v.Subject(now, test.raw, audience)
			if err == nil || !strings.Contains(err.Error(), test.want) || got != "" {
				t.Errorf("Subject() = %q, %v; want an error with %q", got, err, test.want)
			}
		})
	}
}

func TestNewVerifierRefusesKeysItCannotUse(t *testing.T) {
	k := newKeys(t)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.ec, KeyID: "ec"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]contract.TokenIssuer{
		"no JSON":       {Issuer: issuer, Keys: []byte(`nonsense`)},
		"a private key": {Issuer: issuer, Keys: private},
		"no name":       {Keys: []byte(`{"keys":[]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewVerifier([]contract.TokenIssuer{bad}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// unsigned is a token with "alg": "none".
func unsigned(t *testing.T) string {
	t.Helper()
	payload, err := json.Marshal(claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	return encode(`{"alg":"none","typ":"JWT"}`) + "." + encode(string(payload)) + "."
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
