// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

type serveOptions struct {
	listen, control string
	tlsCert, tlsKey string
	config          crmsim.Config
}

func parseServe(args []string) (serveOptions, error) {
	o := serveOptions{}
	c := &o.config
	f := flag.NewFlagSet("crmsim", flag.ContinueOnError)
	licence := f.Bool("licence", false, "have the limits of a common licence of the CRM, besides those of --limit")
	f.StringVar(&c.CRM, "crm", "Zendesk", "the product that is played: "+strings.Join(crmsim.Names(), ", "))
	f.StringVar(&o.listen, "listen", ":8080", "address of the CRM's API")
	f.StringVar(&o.control, "control", ":8081", "address of the control API, /_sim/")
	f.StringVar(&o.tlsCert, "tls-cert", "", "file with the certificate chain of the API; without it the API is plain HTTP")
	f.StringVar(&o.tlsKey, "tls-key", "", "file with the key of --tls-cert")
	f.StringVar(&c.PublicURL, "public-url", "", "what absolute links start with (default: the name the request was made to)")
	f.Func("limit", "a limit, repeatable: "+limit.Syntax, appendParsed(&c.Limits, limit.Parse))
	f.Func("token", "an API or bearer token to accept, repeatable; without one nobody is asked", func(token string) error {
		c.Tokens = append(c.Tokens, token)
		return nil
	})
	f.Func("outage", "an outage, from the start on, repeatable: "+crmsim.OutageSyntax, appendParsed(&c.Outages, crmsim.ParseOutage))
	f.Func("background", "calls of others, repeatable: "+crmsim.BackgroundSyntax, appendParsed(&c.Background, crmsim.ParseBackground))
	f.DurationVar(&c.Latency, "latency", 0, "how long each call takes")
	f.DurationVar(&c.Jitter, "jitter", 0, "what is added to the latency at most, at random")
	f.StringVar((*string)(&c.Stamp), "stamp", string(crmsim.Anywhere), "when a call counts: AtArrival, AtAnswer, Random or Anywhere")
	f.DurationVar(&c.LateBy, "late-by", 0, "how long after its client has gone a call may still count")
	f.DurationVar(&c.ClockOffset, "clock-offset", 0, "how far the CRM's clock is ahead")
	f.DurationVar(&c.IdempotencyValidity, "idempotency-validity", 0, "how long an Idempotency-Key is known (default 2h)")
	f.DurationVar(&c.JobDuration, "job-duration", 0, "how long a bulk job takes, at least (default 5s)")
	f.DurationVar(&c.MaxJobDuration, "max-job-duration", 0, "how long a bulk job takes at most; durations in between are lognormal (default: none)")
	f.DurationVar(&c.JobRetention, "job-retention", 0, "how long the record of a job is kept (default 24h)")
	f.DurationVar(&c.IndexDelay, "index-delay", 0, "how long a new record is not found by searching")
	f.DurationVar(&c.IndexJitter, "index-jitter", 0, "what is added to the index delay at most, at random")
	f.IntVar(&c.ItemFailures, "item-failures", 0, "how many items of bulk calls fail, in percent, at random")
	f.Func("zone", "the account's time zone (default UTC)", func(name string) (err error) {
		c.Zone, err = time.LoadLocation(name)
		return err
	})
	f.IntVar(&c.MaxRecords, "max-records", 0, "how many arrivals, and tickets, are kept in memory (default 1000000)")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of jitter, stamps and outages")
	oauth := oauthFlags(f)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, errors.New("unknown command " + f.Arg(0) + "; the only one is report")
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return o, errors.New("--tls-cert and --tls-key belong together")
	}
	var err error
	if c.OAuth, err = oauth(); err != nil {
		return o, err
	}
	if *licence {
		c.Limits = append(c.Limits, crmsim.Licence(c.CRM)...)
	}
	return o, c.Validate()
}

func appendParsed[T any](into *[]T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		value, err := parse(text)
		*into = append(*into, value)
		return err
	}
}
