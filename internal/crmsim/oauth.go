// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
)

// OAuth is one registered client of the CRM's token endpoint, which is served at /oauth/tokens (Zendesk) and /services/oauth2/token (Salesforce). The grants
// are client_credentials, refresh_token and the JWT bearer grant of RFC 7523. Requests for tokens are neither recorded nor counted against limits.
type OAuth struct {
	// ClientID and ClientSecret of the client, in the form's body. Required.
	ClientID, ClientSecret string
	// RefreshToken is the first one, as a person would have got it. Empty: the grant is not offered.
	RefreshToken string
	// Rotate has each use of a refresh token end it, and the access token that came with it; a new pair takes their place.
	Rotate bool
	// AssertionKey verifies assertions. nil: the grant is not offered.
	AssertionKey *rsa.PublicKey
	// Subject and Audience are the only ones that assertions may name.
	Subject, Audience string
	// Life of an access token. Default: 2 h.
	Life time.Duration
	// HideLife has the endpoint keep Life to itself, as Salesforce does.
	HideLife bool
}

// defaultTokenLife is the default of OAuth.Life.
const defaultTokenLife = 2 * time.Hour

// tokenOperation is the name of a request for a token where an Outage asks for one.
const tokenOperation = "IssueToken"

var tokenPaths = []string{"/oauth/tokens", "/services/oauth2/token"}

// Validate returns an error that names the field and the rule it breaks.
func (o *OAuth) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.ClientID == "" || o.ClientSecret == "":
		return errors.New("oauth: the client needs an ID and a secret")
	case o.Life < 0:
		return errors.New("oauth: the life of a token must not be negative")
	case o.AssertionKey != nil && (o.Subject == "" || o.Audience == ""):
		return errors.New("oauth: assertions need a subject and an audience")
	}
	return nil
}

// issuer is the state of the token endpoint.
type issuer struct {
	// ends of access tokens.
	ends map[string]time.Time
	// current is the refresh token that is valid, access the access token that came with it.
	current, access string
	// requests by what came of them: "issued", or the error's code.
	requests map[string]int
}

func newIssuer(o *OAuth) issuer {
	i := issuer{ends: map[string]time.Time{}, requests: map[string]int{}}
	if o != nil {
		i.current = o.RefreshToken
	}
	return i
}

// valid says whether an access token can be used at now.
func (i *issuer) valid(token string, now time.Time) bool { return now.Before(i.ends[token]) }

// RevokeTokens ends all access tokens before their time.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.issuer.ends)
}

// isTokenRequest says whether a request is for the token endpoint.
func (s *Server) isTokenRequest(r *http.Request) bool {
	return s.config.OAuth != nil && r.Method == http.MethodPost && slices.Contains(tokenPaths, r.URL.Path)
}

// serveToken answers a request for a token.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	formErr := r.ParseForm()

	s.mu.Lock()
	outage := s.outageFor(s.now(), tokenOperation)
	s.mu.Unlock()
	var delay time.Duration
	if outage != nil {
		switch outage.Kind {
		case Hang:
			delay = outage.until.Sub(s.now())
		case Slow:
			delay = outage.Delay
		default:
		}
	}
	s.sleep(&call{Call: crm.Call{Request: r}}, s.config.Latency+delay)

	fails := outage != nil && outage.Kind != Slow
	var answer reply
	if !fails || outage.Executed {
		answer.Reply = s.issue(s.base(r), r.PostForm, formErr)
	}
	if fails {
		answer = s.outageReply(outage)
	}
	answer.send(w)
}

// issue carries a request for a token out.
func (s *Server) issue(base string, form url.Values, formErr error) crm.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, o := s.now(), s.config.OAuth
	code := ""
	if formErr != nil {
		code = "invalid_request"
	} else {
		code = s.issuer.judge(o, form, now)
	}
	if code != "" {
		s.issuer.requests[code]++
		return crm.JSON(http.StatusBadRequest, map[string]string{"error": code, "error_description": "the simulated CRM refuses the grant"})
	}
	s.issuer.requests["issued"]++
	access := randomToken()
	s.issuer.ends[access] = now.Add(o.Life)
	body := map[string]any{"access_token": access, "token_type": "bearer"}
	if !o.HideLife {
		body["expires_in"] = int64(o.Life / time.Second)
	}
	if form.Get("grant_type") == grantRefresh {
		s.issuer.rotate(o, access)
		body["refresh_token"] = s.issuer.current
	}
	s.crm.Token(base, body)
	return crm.JSON(http.StatusOK, body)
}

// The grants, by their names.
const (
	grantClient  = "client_credentials"
	grantRefresh = "refresh_token"
	grantJWT     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// judge returns the error code of a request, empty if a token is due.
func (i *issuer) judge(o *OAuth, form url.Values, now time.Time) string {
	grant := form.Get("grant_type")
	known := form.Get("client_id") == o.ClientID && form.Get("client_secret") == o.ClientSecret
	switch {
	case grant != grantClient && (grant != grantRefresh || o.RefreshToken == "") && (grant != grantJWT || o.AssertionKey == nil):
		return "unsupported_grant_type"
	case grant != grantJWT && !known:
		return "invalid_client"
	case grant == grantRefresh && form.Get("refresh_token") != i.current:
		return "invalid_grant"
	case grant == grantJWT && o.verify(form.Get("assertion"), now) != nil:
		return "invalid_grant"
	default:
		return ""
	}
}

// rotate ends the pair of tokens that was used, and makes the new one current.
func (i *issuer) rotate(o *OAuth, access string) {
	if o.Rotate {
		delete(i.ends, i.access)
		i.current = randomToken()
	}
	i.access = access
}

func randomToken() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
