// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// Background is a stream of calls that others make of the same licence. They come at random, a Poisson process, and have no effect but on the limits. They are not
// recorded as arrivals: the judge is about the caller's own.
type Background struct {
	// Calls come in Per, on average.
	Calls int
	Per   time.Duration
	// Call is what limits see of each. Its Credential defaults to "others".
	Call limit.Call
}

// BackgroundSyntax describes the text form of a Background, for help texts.
const BackgroundSyntax = `CALLS/TIME[,OPTION...]   such as 120/1m: on average 120 calls a minute, at random moments
options: operation=CreateTicket, method=POST, path=/api/v2/tickets, record=7, credential=others`

// ParseBackground reads the text form, see BackgroundSyntax.
func ParseBackground(text string) (Background, error) {
	rate, options, _ := strings.Cut(text, ",")
	calls, per, _ := strings.Cut(rate, "/")
	var b Background
	var errs [2]error
	b.Calls, errs[0] = strconv.Atoi(calls)
	b.Per, errs[1] = time.ParseDuration(per)
	err := errors.Join(errs[:]...)
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
		case "operation":
			b.Call.Operation = value
		case "method":
			b.Call.Method = value
		case "path":
			b.Call.Path = value
		case "record":
			b.Call.Record = value
		case "credential":
			b.Call.Credential = value
		default:
			err = errors.Join(err, fmt.Errorf("option %q is unknown", key))
		}
	}
	if err = errors.Join(err, b.Validate()); err != nil {
		return Background{}, fmt.Errorf("background %q: %w; want %s", text, err, strings.SplitN(BackgroundSyntax, " ", 2)[0])
	}
	return b, nil
}

// Validate returns an error that names the rule that is broken.
func (b Background) Validate() error {
	if b.Calls < 1 || b.Calls > limit.MaxCalls || b.Per < time.Second {
		return fmt.Errorf("it must be 1 to %d calls in at least a second", limit.MaxCalls)
	}
	return nil
}

// UnmarshalText reads the text form.
func (b *Background) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBackground(string(text))
	return err
}

// BackgroundCounts are what became of the calls of all streams.
type BackgroundCounts struct {
	Calls   int `json:"calls"`
	Refused int `json:"refused"`
}

// stream is a Background at a moment of the CRM's clock.
type stream struct {
	Background
	next time.Time // when the next call comes
}

// SetBackground replaces all streams by these, from now on. What was counted of the old ones stays.
func (s *Server) SetBackground(streams []Background) error {
	for _, b := range streams {
		if err := b.Validate(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.catchUp(now)
	s.startBackground(now, streams)
	return nil
}

func (s *Server) startBackground(now time.Time, streams []Background) {
	s.background = nil
	for _, b := range streams {
		b.Call.Credential = cmp.Or(b.Call.Credential, "others")
		s.background = append(s.background, &stream{Background: b, next: now.Add(s.pause(b))})
	}
}

// pause draws the time from one call of a stream to the next.
func (s *Server) pause(b Background) time.Duration {
	return time.Duration(s.random.ExpFloat64() * float64(b.Per) / float64(b.Calls))
}

// catchUp counts the calls of others until now, in the order of their coming. The caller holds the lock.
func (s *Server) catchUp(now time.Time) {
	for {
		var first *stream
		for _, b := range s.background {
			if first == nil || b.next.Before(first.next) {
				first = b
			}
		}
		if first == nil || first.next.After(now) {
			return
		}
		s.others.Calls++
		if s.gates.admit(first.next, first.Call) != nil {
			s.others.Refused++
		} else {
			s.crm.Counted(first.next, first.Call)
		}
		first.next = first.next.Add(s.pause(first.Background))
	}
}
