// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

func TestSealedTokens(t *testing.T) {
	g := Grant{Kind: RefreshToken, ClientID: "client", ClientSecret: "s3cret", RefreshToken: "seed", Name: "crm/refresh"}
	const newest = "the-newest-token"
	kept, err := seal(&g, newest)
	if err != nil {
		t.Fatal(err)
	}
	var s sealed
	if err := json.Unmarshal(kept, &s); err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{s.Seed, s.Salt, s.Token} {
		if bytes.Contains(part, []byte(newest)) || bytes.Contains(part, []byte("seed")) || bytes.Contains(part, []byte("s3cret")) {
			t.Errorf("what is kept holds a secret in clear: %q", part)
		}
	}
	again, err := seal(&g, newest)
	if err != nil || bytes.Equal(kept, again) {
		t.Errorf("sealing twice gives the same: %v", err)
	}
	altered := s
	altered.Token = bytes.Clone(s.Token)
	altered.Token[len(altered.Token)-1] ^= 1
	alteredKept, err := json.Marshal(altered)
	if err != nil {
		t.Fatal(err)
	}

	malformed := errors.New("the store holds a malformed refresh token")
	for name, c := range map[string]struct {
		change func(*Grant)
		kept   []byte
		want   string
		err    error
	}{
		"the newest":                  {func(*Grant) {}, kept, newest, nil},
		"nothing was kept":            {func(*Grant) {}, nil, "seed", nil},
		"the Secret has another seed": {func(g *Grant) { g.RefreshToken = "anew" }, kept, "anew", nil},
		"another client's secret":     {func(g *Grant) { g.ClientSecret = "other" }, kept, "", errSealed},
		"another client":              {func(g *Grant) { g.ClientID = "other" }, kept, "", errSealed},
		"moved to another name":       {func(g *Grant) { g.Name = "other/refresh" }, kept, "", errSealed},
		"altered on the disk":         {func(*Grant) {}, alteredKept, "", errSealed},
		"not ours":                    {func(*Grant) {}, []byte("x"), "", malformed},
	} {
		t.Run(name, func(t *testing.T) {
			g := g
			c.change(&g)
			got, err := unseal(&g, c.kept)
			if got != c.want || !errors.Is(err, c.err) && (err == nil || err.Error() != c.err.Error()) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

// FuzzUnseal: whatever is on the disk, nothing but what was sealed, or the Secret's token, comes out.
func FuzzUnseal(f *testing.F) {
	g := Grant{Kind: RefreshToken, ClientID: "client", ClientSecret: "s3cret", RefreshToken: "seed", Name: "crm/refresh"}
	kept, err := seal(&g, "newest")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kept)
	f.Add([]byte(`{"seed":"","salt":null,"token":"AA=="}`))
	f.Fuzz(func(t *testing.T, kept []byte) {
		got, err := unseal(&g, kept)
		if err == nil && got != "newest" && got != "seed" {
			t.Errorf("%q came out", got)
		}
	})
}
