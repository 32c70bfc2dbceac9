// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// fetched is a new access token; life is 0 if nobody knows it.
type fetched struct {
	access string
	life   time.Duration
}

// chain is the newest refresh token that has come from a seed. It is ahead of the vault when that could not keep the token.
type chain struct {
	seed   []byte
	newest string
}

// fetch asks for a token. A new refresh token is durable before the access token that came with it is used: from the first use on the old ones may be dead.
func (t *Tokens) fetch(g *Grant) (*fetched, error) {
	if g.Kind != RefreshToken {
		return t.askFor(g, "")
	}
	if err := t.follow(g); err != nil {
		return nil, err
	}
	got, err := t.askFor(g, t.chain.newest)
	if err != nil || t.chain.newest == g.RefreshToken {
		return got, err
	}
	kept, err := seal(g, t.chain.newest)
	if err == nil {
		err = t.options.Vault.Keep(g.Name, kept)
	}
	if err != nil {
		return nil, &Unavailable{detail: "gave one, but the store cannot keep the refresh token that came with it"}
	}
	return got, nil
}

// follow finds the end of the grant's chain.
func (t *Tokens) follow(g *Grant) error {
	seed := seedOf(g.RefreshToken)
	if bytes.Equal(t.chain.seed, seed) {
		return nil
	}
	kept, err := t.options.Vault.Kept(g.Name)
	if err != nil {
		return &Unavailable{detail: "is not asked, because the store does not give the refresh token back"}
	}
	newest, err := unseal(g, kept)
	switch {
	case errors.Is(err, errSealed):
		return &Refusal{detail: "the newest refresh token was sealed with another client secret", Reauthorize: true}
	case err != nil:
		return &Unavailable{detail: "is not asked, because the refresh token in the store is malformed"}
	}
	t.chain = chain{seed, newest}
	return nil
}

// askFor sends the request and notes the refresh token that has come.
func (t *Tokens) askFor(g *Grant, refresh string) (*fetched, error) {
	token, err := t.ask(g, refresh)
	if err != nil {
		return nil, err
	}
	if g.Kind == RefreshToken && token.RefreshToken != "" {
		t.chain.newest = token.RefreshToken
	}
	got := &fetched{access: token.AccessToken}
	if !token.Expiry.IsZero() {
		got.life = max(time.Until(token.Expiry), leastLife)
	}
	return got, nil
}

func (t *Tokens) ask(g *Grant, refresh string) (*oauth2.Token, error) {
	if g.Network == contract.NetworkPrivate {
		return ask(t.private, g, refresh)
	}
	return ask(t.public, g, refresh)
}
