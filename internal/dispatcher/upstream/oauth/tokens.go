// SPDX-License-Identifier: Apache-2.0

// Package oauth gets the access tokens that requests to the CRM are signed with, and keeps one at hand. There is one request for a token at a time, however
// many calls want one; a token is replaced before it expires, and once when the CRM refuses it. Nothing that is secret appears in its errors.
package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

const (
	// A token is replaced when a fifth of its life is left, but not more than mostEarly before its end.
	earlyPart = 5
	mostEarly = 10 * time.Minute
	// lapse is how long before its end a token is not used any more: the request has to reach the CRM.
	lapse = time.Second
	// unknownLife is when a token is replaced whose endpoint does not say how long it lives. It is used until then, and longer if no other can be had.
	unknownLife = 10 * time.Minute
	// leastLife is how long a token is taken to live at least: it bounds how often one is asked for.
	leastLife = 10 * time.Second
	// replaceEvery is how often a token is replaced because the CRM refuses it: it may refuse them all.
	replaceEvery = time.Minute
	// restTime is how long the end of requests is waited for that are signed with a token which ends when another is asked for.
	restTime = 10 * time.Second
	// Between two requests for a token of which the first failed, or was refused; it doubles with each in a row.
	leastPause, mostPause               = time.Second, time.Minute
	leastRefusedPause, mostRefusedPause = time.Minute, maxPause
)

// Vault keeps what must survive a restart. backlog.Store does.
type Vault interface {
	// Keep makes a sealed secret durable under a name before it returns.
	Keep(name string, sealed []byte) error
	// Kept returns the secret that was kept last under a name, nil if none was.
	Kept(name string) ([]byte, error)
}

// Options of Tokens. All but TLS are required.
type Options struct {
	// Dialer returns how connections to token endpoints in a network are made.
	Dialer func(contract.Network) guard.Dial
	// TLS to token endpoints; nil for the system's roots.
	TLS   *tls.Config
	Vault Vault
	// Now is the dispatcher's timeline.
	Now func() time.Time
	// Random spreads pauses; nobody else may use it.
	Random *rand.Rand
}

// Token is an access token in use by one or more requests.
type Token struct {
	value string
	// renewAt is when another is to be asked for, end when this one is not used any more; zero if nobody knows.
	renewAt, end time.Time
	// users are requests that are on their way with it.
	users int
}

// Value is what signs a request. It is a secret.
func (t *Token) Value() string { return t.value }

// String keeps the token out of whatever it is printed into.
func (t *Token) String() string { return "access token" }

// Tokens keeps the access token of one grant at a time. Its methods may be called by many goroutines.
type Tokens struct {
	options Options
	// public and private are contexts with the HTTP client for each network, where package oauth2 looks for it.
	public, private context.Context //nolint:containedctx // package oauth2 takes its HTTP client out of a context
	// work is the request that is under way.
	work sync.WaitGroup

	mu sync.Mutex
	// of is whose token this is; what follows is forgotten when a call comes with another grant.
	of    identity
	grant Grant
	token *Token
	// err is why the last request failed, failures how many in a row, notBefore when the next may be made.
	err        error
	failures   int
	notBefore  time.Time
	replacedAt time.Time

	// asking is closed when the request under way ends; nil if none is. resting: the token is not given to calls meanwhile.
	asking  chan struct{}
	resting bool
	// rested, if set, is closed when no request is on its way with the token.
	rested chan struct{}
	closed bool

	// chain is used by the request under way only.
	chain chain
}

// New returns Tokens without a token.
func New(o Options) *Tokens {
	return &Tokens{
		options: o,
		public:  context.WithValue(context.Background(), oauth2.HTTPClient, httpClient(o, contract.NetworkPublic)),
		private: context.WithValue(context.Background(), oauth2.HTTPClient, httpClient(o, contract.NetworkPrivate)),
	}
}

// ErrClosed says that no token is asked for any more.
var ErrClosed = errors.New("the dispatcher stops")

// Close waits for the request for a token that is under way, AskTime and restTime at most: the answer could hold a refresh token that nobody gets again.
func (t *Tokens) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.work.Wait()
}

// Use returns a token of the grant for one request, and waits for it if one is on its way or can be asked for. done must be called once the CRM has answered
// the request, or the request is given up. Its errors are a *Refusal, an *Unavailable, ErrBadKey, ErrClosed, or the cause of ctx's end.
func (t *Tokens) Use(ctx context.Context, g Grant) (token *Token, done func(), err error) {
	for {
		t.mu.Lock()
		token, asking, err := t.look(g)
		if token != nil {
			token.users++
		}
		t.mu.Unlock()
		if token != nil {
			return token, func() { t.release(token) }, nil
		}
		if err != nil {
			return nil, nil, err
		}
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// Check returns nil if there is a token of the grant, or why there is none. It has one asked for if that is due.
func (t *Tokens) Check(g Grant) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, asking, err := t.look(g)
	switch {
	case t.usable(t.options.Now()): // while it rests, too
		return nil
	case asking != nil && t.err != nil:
		return t.err
	case asking != nil:
		return errPending
	}
	return err
}

// IsPending says whether an error of Check means that nothing went wrong so far.
func IsPending(err error) bool { return errors.Is(err, errPending) }

// Refused has a token replaced because the CRM refused it, unless that was done within the last minute.
func (t *Tokens) Refused(token *Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.options.Now()
	if t.token != token || !t.replacedAt.IsZero() && now.Before(t.replacedAt.Add(replaceEvery)) {
		return
	}
	t.drop()
	t.replacedAt = now
	if t.asking == nil && !now.Before(t.notBefore) && !t.closed {
		t.start()
	}
}

// look returns a token, what to wait for, or an error. The caller holds the lock.
func (t *Tokens) look(g Grant) (*Token, <-chan struct{}, error) {
	if id := g.identity(); id != t.of {
		t.of, t.grant = id, g
		t.err, t.failures, t.notBefore, t.replacedAt = nil, 0, time.Time{}, time.Time{}
		t.drop()
	}
	now := t.options.Now()
	if t.asking == nil && !now.Before(t.notBefore) && !t.closed && (!t.usable(now) || !now.Before(t.token.renewAt)) {
		t.start()
	}
	switch {
	case t.usable(now) && !t.resting:
		return t.token, nil, nil
	case t.asking != nil:
		return nil, t.asking, nil
	case t.err != nil:
		return nil, nil, t.err
	default:
		return nil, nil, ErrClosed
	}
}

// drop forgets the token; nobody has to wait for the end of its requests any more. The caller holds the lock.
func (t *Tokens) drop() {
	t.token = nil
	if t.rested != nil {
		close(t.rested)
		t.rested = nil
	}
}

func (t *Tokens) usable(now time.Time) bool {
	return t.token != nil && (t.token.end.IsZero() || now.Before(t.token.end))
}

// start begins a request for another token. The caller holds the lock; no request is under way.
func (t *Tokens) start() {
	t.asking = make(chan struct{})
	// Using a refresh token can end the access token that came with it, so that one rests meanwhile.
	t.resting = t.grant.Kind == RefreshToken
	var rested chan struct{}
	if t.resting && t.usable(t.options.Now()) && t.token.users > 0 {
		rested = make(chan struct{})
	}
	t.rested = rested
	g, of := t.grant, t.of
	t.work.Go(func() {
		if rested != nil {
			t.rest(rested)
		}
		asked := t.options.Now()
		got, err := t.fetch(&g)
		t.take(of, got, asked, err)
	})
}

func (t *Tokens) rest(rested <-chan struct{}) {
	enough := time.NewTimer(restTime)
	defer enough.Stop()
	select {
	case <-rested:
	case <-enough.C:
	}
}

func (t *Tokens) release(token *Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token.users--
	if token.users == 0 && t.rested != nil && t.token == token {
		close(t.rested)
		t.rested = nil
	}
}

// take ends a request for a token.
func (t *Tokens) take(of identity, got *fetched, asked time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.asking)
	t.asking, t.resting, t.rested = nil, false, nil
	if of != t.of { // the Secret or the plan has changed meanwhile
		return
	}
	t.err = err
	if err != nil {
		t.notBefore = t.options.Now().Add(t.pause(err))
		t.failures++
		return
	}
	t.failures, t.notBefore = 0, time.Time{}
	t.token = &Token{value: got.access, renewAt: asked.Add(unknownLife)}
	if got.life > 0 {
		end := asked.Add(got.life)
		t.token.renewAt, t.token.end = end.Add(-min(got.life/earlyPart, mostEarly)), end.Add(-min(got.life/earlyPart, lapse))
	}
}

// pause is how long the endpoint is left alone after an error: exponential with jitter, at least half of it, or what the endpoint asked for if that is longer.
func (t *Tokens) pause(err error) time.Duration {
	least, most, asked := leastPause, mostPause, time.Duration(0)
	if unavailable, is := errors.AsType[*Unavailable](err); is {
		asked = unavailable.pause
	}
	if refusal, is := errors.AsType[*Refusal](err); is {
		least, most, asked = leastRefusedPause, mostRefusedPause, refusal.pause
	}
	if t.failures < 16 {
		most = min(most, least<<t.failures)
	}
	return max(asked, most/2+time.Duration(t.options.Random.Float64()*float64(most/2)))
}
