// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"os"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// oauthFlags adds the flags of the token endpoint. The function that it returns gives what they say, once they are parsed; nil if they say nothing.
func oauthFlags(f *flag.FlagSet) func() (*crmsim.OAuth, error) {
	var o crmsim.OAuth
	var client, keyFile string
	f.StringVar(&client, "oauth-client", "", "ID:SECRET of a client that gets access tokens at /oauth/tokens and /services/oauth2/token")
	f.StringVar(&o.RefreshToken, "oauth-refresh-token", "", "the client's first refresh token; without one that grant is not offered")
	f.BoolVar(&o.Rotate, "oauth-rotate", false, "each use of a refresh token ends it, and the access token that came with it")
	f.StringVar(&keyFile, "oauth-assertion-key", "", "file with the RSA public key, in PEM, that verifies JWT assertions; without one that grant is not offered")
	f.StringVar(&o.Subject, "oauth-subject", "", "the subject that assertions must have")
	f.StringVar(&o.Audience, "oauth-audience", "", "the audience that assertions must have")
	f.DurationVar(&o.Life, "oauth-life", 0, "how long an access token lives (default 2h)")
	return func() (*crmsim.OAuth, error) {
		if client == "" {
			if o != (crmsim.OAuth{}) || keyFile != "" {
				return nil, errors.New("--oauth-client is missing")
			}
			return nil, nil
		}
		o.ClientID, o.ClientSecret, _ = strings.Cut(client, ":")
		var err error
		if keyFile != "" {
			o.AssertionKey, err = publicKey(keyFile)
		}
		return &o, err
	}
}

func publicKey(file string) (*rsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(file + " holds no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, is := key.(*rsa.PublicKey)
	if !is {
		return nil, errors.New(file + " holds no RSA key")
	}
	return rsaKey, nil
}
