// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"crypto/sha256"
	"encoding/json"
	"log/slog"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Kind is how a client earns its access tokens.
type Kind string

// The kinds, by the names that RFC 6749 and RFC 7523 give to their grants.
const (
	ClientCredentials Kind = "client_credentials"
	RefreshToken      Kind = "refresh_token"
	JWTBearer         Kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// Grant is everything that an access token is asked for with. Two different grants never share a token.
type Grant struct {
	Kind Kind
	// TokenURL is the token endpoint, Network says which addresses it may have.
	TokenURL string
	Network  contract.Network
	// ClientID and ClientSecret are the client's; there is no secret with JWTBearer.
	ClientID, ClientSecret string
	// RefreshToken is the one in the Secret, the seed of those that follow it if the CRM rotates them. They are kept in the vault under Name.
	RefreshToken, Name string
	// PrivateKey is an RSA key in PEM, which signs assertions about Subject for Audience; an empty audience is TokenURL.
	PrivateKey, Subject, Audience string
	// Scopes to ask for, which a refresh token brings along by itself.
	Scopes []string
}

// String keeps secrets out of whatever a grant is printed into.
func (g Grant) String() string { return "OAuth grant " + string(g.Kind) }

// GoString implements fmt.GoStringer as String does.
func (g Grant) GoString() string { return g.String() }

// LogValue implements slog.LogValuer as String does.
func (g Grant) LogValue() slog.Value { return slog.StringValue(g.String()) }

// identity tells grants apart.
type identity [sha256.Size]byte

func (g *Grant) identity() identity {
	type fields Grant
	encoded, err := json.Marshal((*fields)(g))
	if err != nil {
		panic("oauth: strings always encode: " + err.Error())
	}
	return sha256.Sum256(encoded)
}
