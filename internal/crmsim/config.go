// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// Stamp says when, between its receipt and its answer, the CRM counts a call. A call whose client has gone is counted at most
// Config.LateBy after that, except AtArrival.
type Stamp string

// The choices of Stamp.
const (
	// AtArrival counts a call when it has been read; all latency comes afterwards.
	AtArrival Stamp = "AtArrival"
	// AtAnswer counts a call just before it is answered; all latency comes before.
	AtAnswer Stamp = "AtAnswer"
	// Random counts at a random moment in between.
	Random Stamp = "Random"
	// Anywhere enforces as Random does, but the judge counts a call in every window that it could have fallen into. It is the
	// hardest and the default: whoever passes it passes the others.
	Anywhere Stamp = "Anywhere"
)

// Config is how the CRM behaves. The zero value is a Zendesk that answers at once, without limits and without credentials.
type Config struct {
	// CRM is the product that is played, one of Names. Default: Zendesk.
	CRM string
	// Limits of the licence. The first that counts all calls in windows is the one shown in headers.
	Limits []limit.Limit
	// Tokens are accepted as the password of a Basic credential "email/token" and as Bearer token. Empty: no credential is asked for.
	Tokens []string
	// OAuth, if set, has a token endpoint whose access tokens are accepted, too.
	OAuth *OAuth
	// PublicURL stands before absolute links, such as "https://acme.zendesk.com". Empty: the name the request was made to.
	PublicURL string

	// Latency is how long a call takes; up to Jitter is added, at random. Both at least 0.
	Latency, Jitter time.Duration
	// Stamp defaults to Anywhere.
	Stamp Stamp
	// LateBy is how long after its client has gone a call may still be counted and executed, at least 0. A sender's own allowance
	// must be longer by what the news of its going takes on the network.
	LateBy time.Duration
	// ClockOffset is how far the CRM's clock is ahead of this machine's.
	ClockOffset time.Duration
	// Outages are counted from the start of the server.
	Outages []Outage

	// Background are the calls of others, from the start of the server on.
	Background []Background

	// IdempotencyValidity is how long an Idempotency-Key is known. Default: 2 h, as Zendesk's.
	IdempotencyValidity time.Duration
	// JobDuration is how long a bulk job takes, at least. Default: 5 s. With a longer MaxJobDuration the durations are drawn from in between, lognormal.
	JobDuration, MaxJobDuration time.Duration
	// JobRetention is how long a finished job can be asked for. Default: 24 h.
	JobRetention time.Duration
	// IndexDelay is how long a new record is not found by a search; up to IndexJitter is added, at random. Default: 0.
	IndexDelay, IndexJitter time.Duration
	// ItemFailures is how many items of bulk calls fail, in percent, at random.
	ItemFailures int
	// Zone is the account's time zone. Default: UTC.
	Zone *time.Location

	// Users is the number of made-up users. Default: 1,000.
	Users int
	// MaxRecords bounds the arrivals and the tickets kept in memory. Default: 1,000,000, which is some 400 MB when full.
	MaxRecords int
	// Seed makes jitter, stamps and outages of a percentage repeatable.
	Seed uint64
}

// Validate returns an error that names each wrong field.
func (c Config) Validate() error {
	errs := []error{limit.ValidateAll(c.Limits), c.OAuth.Validate()}
	for name, value := range map[string]time.Duration{
		"latency": c.Latency, "jitter": c.Jitter, "lateBy": c.LateBy, "idempotencyValidity": c.IdempotencyValidity,
		"jobDuration": c.JobDuration, "jobRetention": c.JobRetention, "indexDelay": c.IndexDelay, "indexJitter": c.IndexJitter, "maxJobDuration": c.MaxJobDuration,
		"users": time.Duration(c.Users), "maxRecords": time.Duration(c.MaxRecords),
	} {
		if value < 0 {
			errs = append(errs, fmt.Errorf("%s must not be negative", name))
		}
	}
	if _, known := crms[cmp.Or(c.CRM, defaultCRM)]; !known {
		errs = append(errs, fmt.Errorf("crm %q is not one of %s", c.CRM, strings.Join(Names(), ", ")))
	}
	if c.ItemFailures < 0 || c.ItemFailures > 100 {
		errs = append(errs, fmt.Errorf("itemFailures must be 0 to 100, not %d", c.ItemFailures))
	}
	switch c.Stamp {
	case "", AtArrival, AtAnswer, Random, Anywhere:
	default:
		errs = append(errs, fmt.Errorf("stamp %q is not one of %s, %s, %s, %s", c.Stamp, AtArrival, AtAnswer, Random, Anywhere))
	}
	for _, b := range c.Background {
		errs = append(errs, b.Validate())
	}
	for _, o := range c.Outages {
		errs = append(errs, o.Validate())
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.CRM = cmp.Or(c.CRM, defaultCRM)
	c.Zone = cmp.Or(c.Zone, time.UTC)
	c.Stamp = cmp.Or(c.Stamp, Anywhere)
	c.IdempotencyValidity = cmp.Or(c.IdempotencyValidity, 2*time.Hour)
	c.JobDuration = cmp.Or(c.JobDuration, 5*time.Second)
	c.JobRetention = cmp.Or(c.JobRetention, 24*time.Hour)
	c.Users = cmp.Or(c.Users, 1000)
	c.MaxRecords = cmp.Or(c.MaxRecords, 1_000_000)
	if c.OAuth != nil {
		client := *c.OAuth
		client.Life = cmp.Or(client.Life, defaultTokenLife)
		c.OAuth = &client
	}
	return c
}
