// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// OutageKind is what happens to a call during an outage.
type OutageKind string

// The kinds of outage.
const (
	Unavailable OutageKind = "unavailable" // 503
	ServerError OutageKind = "error"       // 500
	Reset       OutageKind = "reset"       // the connection is reset without an answer
	Hang        OutageKind = "hang"        // no answer until the outage ends or the client goes; then the connection is closed
	Slow        OutageKind = "slow"        // the answer comes Delay later
)

// Outage is trouble for the calls received in a stretch of time.
type Outage struct {
	Kind OutageKind
	// After is when it starts, from the moment it is set; For how long it lasts, 0 until it is cleared.
	After, For time.Duration
	// Percent of the calls, at random; 0 means all.
	Percent int
	// Executed says that the call is executed before it fails; a Slow call always is.
	Executed bool
	// Delay is how much later a Slow answer comes.
	Delay time.Duration
	// Operation narrows the outage to one operation; empty means all. Requests for tokens are IssueToken.
	Operation string
}

// OutageSyntax describes the text form of an Outage, for help texts.
const OutageSyntax = `KIND[@AFTER][+FOR][,OPTION...]   KIND: unavailable, error, reset, hang, slow
options: executed, percent=10, delay=20s (slow), operation=CreateTicket
  unavailable@1m+30s    503 for 30 s, one minute from now
  error,executed        500 after executing the call, until cleared`

// ParseOutage reads the text form of an outage, see OutageSyntax.
func ParseOutage(text string) (Outage, error) {
	spec, options, _ := strings.Cut(text, ",")
	spec, duration, _ := strings.Cut(spec, "+")
	kind, after, _ := strings.Cut(spec, "@")
	o := Outage{Kind: OutageKind(kind)}
	var errs []error
	parse := func(into *time.Duration, value string) {
		if value == "" {
			return
		}
		var err error
		*into, err = time.ParseDuration(value)
		errs = append(errs, err)
	}
	parse(&o.After, after)
	parse(&o.For, duration)
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
		case "executed":
			o.Executed = true
		case "percent":
			_, err := fmt.Sscanf(value, "%d", &o.Percent)
			errs = append(errs, err)
		case "delay":
			parse(&o.Delay, value)
		case "operation":
			o.Operation = value
		default:
			errs = append(errs, fmt.Errorf("option %q is unknown", option))
		}
	}
	if err := errors.Join(append(errs, o.Validate())...); err != nil {
		return Outage{}, fmt.Errorf("outage %q: %w; want %s", text, err, strings.SplitN(OutageSyntax, "  ", 2)[0])
	}
	return o, nil
}

// Validate returns an error that names the field and the rule it breaks.
func (o Outage) Validate() error {
	switch o.Kind {
	case Unavailable, ServerError, Reset, Hang, Slow:
	default:
		return fmt.Errorf("kind %q is not one of %s, %s, %s, %s, %s", o.Kind, Unavailable, ServerError, Reset, Hang, Slow)
	}
	switch {
	case o.After < 0 || o.For < 0 || o.Delay < 0:
		return errors.New("durations must not be negative")
	case o.Percent < 0 || o.Percent > 100:
		return fmt.Errorf("percent must be 0 to 100, not %d", o.Percent)
	case (o.Kind == Slow) != (o.Delay > 0):
		return errors.New("delay belongs to slow, and slow needs one")
	}
	return nil
}

// UnmarshalText reads the text form.
func (o *Outage) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOutage(string(text))
	return err
}

// endless is how long an outage lasts that has no end.
const endless = 100 * 365 * 24 * time.Hour

// scheduled is an outage at a moment of the CRM's clock.
type scheduled struct {
	Outage
	from, until time.Time
}

func schedule(now time.Time, outages []Outage) []scheduled {
	var all []scheduled
	for _, o := range outages {
		from := now.Add(o.After)
		all = append(all, scheduled{Outage: o, from: from, until: from.Add(cmp.Or(o.For, endless))})
	}
	return all
}

// strikes reports whether the outage befalls a call of this operation at now; draw is a number from 0 to 99.
func (o scheduled) strikes(now time.Time, operation string, draw int) bool {
	lasting := !now.Before(o.from) && now.Before(o.until)
	return lasting && (o.Operation == "" || o.Operation == operation) && (o.Percent == 0 || draw < o.Percent)
}
