// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Credentials tell how to sign in; the values are files in a mounted Secret. Exactly one kind is set.
type Credentials struct {
	// Secret is the name of the mounted Secret: with the keys it tells which user of the CRM the dispatcher is.
	Secret string `json:"secret,omitempty"`
	// Own: they are an integration's own, whose files lie in OwnCredentialsDir, in a folder with the name of Secret. Otherwise they are the CRM's, in
	// CredentialsDir.
	Own bool `json:"own,omitempty"`
	// Scheme of tokens in the Authorization header; empty for Bearer.
	Scheme string `json:"scheme,omitempty"`

	Basic  *BasicKeys  `json:"basic,omitempty"`
	Bearer *BearerKeys `json:"bearer,omitempty"`
	Header *HeaderKeys `json:"header,omitempty"`

	OAuthClient  *OAuthClientKeys  `json:"oauthClient,omitempty"`
	OAuthRefresh *OAuthRefreshKeys `json:"oauthRefresh,omitempty"`
	OAuthJWT     *OAuthJWTKeys     `json:"oauthJWT,omitempty"`
}

// Authorization is the header's value that presents a token.
func (c Credentials) Authorization(token string) string {
	return cmp.Or(c.Scheme, "Bearer") + " " + token
}

// TokenURL is where access tokens come from; empty for the kinds of credentials without.
func (c Credentials) TokenURL() string {
	switch {
	case c.OAuthClient != nil:
		return c.OAuthClient.TokenURL
	case c.OAuthRefresh != nil:
		return c.OAuthRefresh.TokenURL
	case c.OAuthJWT != nil:
		return c.OAuthJWT.TokenURL
	default:
		return ""
	}
}

// User identifies the user as whom the CRM knows who calls: the Secret and its keys, not their values, so that rotation changes nothing.
func (c Credentials) User() string {
	switch {
	case c.Basic != nil:
		return c.Secret + "/" + c.Basic.Username
	case c.Bearer != nil:
		return c.Secret + "/" + c.Bearer.Token
	case c.Header != nil:
		return c.Secret + "/" + c.Header.Value
	case c.OAuthClient != nil:
		return c.Secret + "/" + c.OAuthClient.ClientID
	case c.OAuthRefresh != nil:
		return c.Secret + "/" + c.OAuthRefresh.RefreshToken
	case c.OAuthJWT != nil:
		return c.Secret + "/" + c.OAuthJWT.Subject
	default:
		return c.Secret
	}
}

// CredentialsOf are those with which an integration's calls go out, those of the CRM for nil; there are none where clients bring their own.
func (p *Plan) CredentialsOf(i *Integration) Credentials {
	switch {
	case i == nil:
		return p.Credentials
	case i.PassesThrough():
		return Credentials{}
	case i.Credentials != nil:
		return *i.Credentials
	default:
		return p.Credentials
	}
}

// PassesThrough says whether the integration's clients bring the CRM's credentials themselves.
func (i *Integration) PassesThrough() bool {
	return slices.ContainsFunc(i.Clients, func(c Client) bool { return len(c.CRMCredentialSHA256) > 0 })
}

// ClientUser is the user of the CRM that a client of an integration is which brings its own credential. No Secret has such a name.
func ClientUser(integration, client string) string { return "client " + integration + "/" + client }

// AllCredentials are those of the plan, each once: the CRM's, then those that integrations have of their own, in the order of their names.
func (p *Plan) AllCredentials() []Credentials {
	all := []Credentials{p.Credentials}
	seen := map[string]bool{}
	for i := range p.Integrations {
		own := p.Integrations[i].Credentials
		if own == nil || seen[own.ID()] {
			continue
		}
		seen[own.ID()] = true
		all = append(all, *own)
	}
	return all
}

// Bounds of what credentials of integrations take.
const (
	// MaxOwnSecrets is how many Secrets of integrations are mounted.
	MaxOwnSecrets = 64
	// MaxCountedLimits is how many limits are counted at a time: those that the CRM keeps for each credential apart count once for each.
	MaxCountedLimits = 256
)

// Users are the users of the CRM as whom an integration's calls go out, without the CRM's own.
func (i *Integration) Users(p *Plan) []string {
	if i.PassesThrough() {
		users := make([]string, 0, len(i.Clients))
		for _, c := range i.Clients {
			users = append(users, ClientUser(i.Key(), c.Name))
		}
		return users
	}
	if i.Credentials == nil || i.Credentials.User() == p.Credentials.User() {
		return nil
	}
	return []string{i.Credentials.User()}
}

// UsersOf are the users of the CRM as whom an integration's calls go out.
func (p *Plan) UsersOf(i *Integration) []string {
	if users := i.Users(p); len(users) > 0 {
		return users
	}
	return []string{p.Credentials.User()}
}

// OwnSecrets are the names of the Secrets that integrations name, for credentials of their own or for callbacks, each once, in order.
func (p *Plan) OwnSecrets() []string {
	var names []string
	for i := range p.Integrations {
		if c := p.Integrations[i].Callbacks; c != nil {
			names = append(names, c.Secret)
		}
	}
	for _, c := range p.AllCredentials() {
		if c.Own {
			names = append(names, c.Secret)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CountedLimits is how many limits are counted for all users of the CRM.
func (p *Plan) CountedLimits() int {
	each := 0
	for _, l := range p.Limits {
		if l.PerCredential {
			each++
		}
	}
	return len(p.Limits) + each*(len(p.Users())-1)
}

// Users are the users of the CRM as whom calls go out, each once: the CRM's own first.
func (p *Plan) Users() []string {
	users, seen := []string{p.Credentials.User()}, map[string]bool{}
	for i := range p.Integrations {
		for _, user := range p.Integrations[i].Users(p) {
			if !seen[user] {
				seen[user] = true
				users = append(users, user)
			}
		}
	}
	return users
}

// ID is the same for credentials that are equal.
func (c Credentials) ID() string {
	encoded, err := json.Marshal(c)
	if err != nil {
		panic("contract: strings always encode: " + err.Error())
	}
	return string(encoded)
}

// BasicKeys are file names in the Secret.
type BasicKeys struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// BearerKeys are file names in the Secret.
type BearerKeys struct {
	Token string `json:"token"`
}

// HeaderKeys name the header and the file in the Secret with its value.
type HeaderKeys struct {
	Header string `json:"header"`
	Value  string `json:"value"`
}

// OAuthClientKeys are of the client credentials grant: file names in the Secret.
type OAuthClientKeys struct {
	TokenURL     string `json:"tokenURL"`
	ClientID     string `json:"clientID"`
	ClientSecret string `json:"clientSecret"`
	// Scopes to ask for.
	Scopes []string `json:"scopes,omitempty"`
}

// OAuthRefreshKeys are of the refresh token grant: file names in the Secret.
type OAuthRefreshKeys struct {
	TokenURL     string `json:"tokenURL"`
	ClientID     string `json:"clientID"`
	ClientSecret string `json:"clientSecret"`
	RefreshToken string `json:"refreshToken"`
}

// OAuthJWTKeys are of the JWT bearer grant (RFC 7523): file names in the Secret.
type OAuthJWTKeys struct {
	TokenURL   string `json:"tokenURL"`
	ClientID   string `json:"clientID"`
	PrivateKey string `json:"privateKey"`
	Subject    string `json:"subject"`
	// Audience of the assertions; empty for TokenURL.
	Audience string `json:"audience,omitempty"`
	// Scopes to ask for.
	Scopes []string `json:"scopes,omitempty"`
}
