// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Syntax describes the text form of a Limit, for help texts.
const Syntax = `NAME=CALLS/WINDOW[:KIND[:PARAMETER]][,OPTION...]
  minute=400/60s               rolling (the default kind)
  minute=400/60s:fixed:15s     fixed windows that start 15 s after the full minute
  minute=400/60s:bucket:100    token bucket that holds 100
  minute=400/60s:weighted:15s  estimated from two fixed windows
  minute=400/60s:stepped:1s    rolling, in steps of 1 s
  day=2500/calendar:Europe/Berlin, hour=500/hour:UTC, month=9/month:UTC
  inflight=20/concurrent
  jobs=30/jobs,operation=CreateManyTickets
options: judge (report, never refuse), skew=500ms (between the CRM's nodes), late=5s (counted afterwards),
  shown=400 (what headers say the number is),
  per=record or per=credential, cost=Search:40 (repeatable),
  operation=UpdateTicket, method=PUT, path=/api/v2/tickets/*, credential=agent@example.test`

// Parse reads the text form of a limit, see Syntax.
func Parse(text string) (Limit, error) {
	fail := func(format string, args ...any) (Limit, error) {
		return Limit{}, fmt.Errorf("limit %q: %s; want %s", text, fmt.Sprintf(format, args...), strings.SplitN(Syntax, "\n", 2)[0])
	}
	spec, options, _ := strings.Cut(text, ",")
	name, rest, found := strings.Cut(spec, "=")
	if !found {
		return fail("no '='")
	}
	calls, shape, found := strings.Cut(rest, "/")
	if !found {
		return fail("no '/' after the number of calls")
	}
	l := Limit{Name: name}
	var err error
	if l.Calls, err = strconv.Atoi(calls); err != nil {
		return fail("%q is not a number of calls", calls)
	}
	if err := l.parseShape(shape); err != nil {
		return fail("%v", err)
	}
	for option := range strings.SplitSeq(options, ",") {
		if err := l.parseOption(option); err != nil {
			return fail("%v", err)
		}
	}
	return l, l.Validate()
}

// MustParse is Parse for limits that are written in code; it panics on an error.
func MustParse(texts ...string) []Limit {
	limits := make([]Limit, len(texts))
	for i, text := range texts {
		l, err := Parse(text)
		if err != nil {
			panic(err)
		}
		limits[i] = l
	}
	return limits
}

func (l *Limit) parseShape(shape string) (err error) {
	window, rest, _ := strings.Cut(shape, ":")
	switch kind := Kind(window); kind {
	case Concurrent, Jobs:
		l.Kind = kind
		return nil
	case CalendarHour, CalendarDay, CalendarMonth:
		l.Kind = kind
		if rest == "" {
			return fmt.Errorf("calendar needs a time zone, such as calendar:Europe/Berlin")
		}
		l.Zone, err = time.LoadLocation(rest)
		return err
	default:
	}
	if l.Window, err = time.ParseDuration(window); err != nil {
		return fmt.Errorf("%q is not a window", window)
	}
	kind, parameter, _ := strings.Cut(rest, ":")
	l.Kind = Kind(cmp.Or(kind, string(Rolling)))
	return l.parseParameter(parameter)
}

// parseParameter reads what follows the kind of a limit with a window.
func (l *Limit) parseParameter(parameter string) (err error) {
	switch l.Kind {
	case Fixed, Weighted:
		if parameter != "" {
			l.Offset, err = time.ParseDuration(parameter)
		}
		return err
	case TokenBucket:
		if l.Burst, err = strconv.Atoi(parameter); err != nil {
			return errors.New("a bucket needs its size, such as bucket:100")
		}
		return nil
	case Stepped:
		if l.Step, err = time.ParseDuration(parameter); err != nil {
			return errors.New("stepped needs the length of a step, such as stepped:1s")
		}
		return nil
	case Rolling:
		if parameter != "" {
			return errors.New("rolling takes no parameter")
		}
		return nil
	default:
		return fmt.Errorf("%q is not a kind that follows a window: rolling, fixed, bucket, weighted or stepped", l.Kind)
	}
}

func (l *Limit) parseOption(option string) (err error) {
	key, value, _ := strings.Cut(option, "=")
	switch key {
	case "":
	case "judge":
		l.JudgeOnly = true
	case "shown":
		l.Shown, err = strconv.Atoi(value)
	case "operation":
		l.Operation = value
	case "method":
		l.Method = value
	case "path":
		l.Path = value
	case "credential":
		l.Credential = value
	case "per":
		l.Per = Apart(value)
	case "cost":
		operation, units, _ := strings.Cut(value, ":")
		cost := Cost{Operation: operation}
		cost.Units, err = strconv.Atoi(units)
		l.Costs = append(l.Costs, cost)
	case "skew":
		l.Skew, err = time.ParseDuration(value)
	case "late":
		l.Late, err = time.ParseDuration(value)
	default:
		return fmt.Errorf("option %q is unknown", option)
	}
	if err != nil {
		return fmt.Errorf("option %q: %w", option, err)
	}
	return nil
}

// String is the text form that Parse reads.
func (l Limit) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s=%d/%s", l.Name, l.Calls, l.shape())
	option := func(given bool, name string, value any) {
		if given {
			fmt.Fprintf(&b, ",%s=%v", name, value)
		}
	}
	if l.JudgeOnly {
		b.WriteString(",judge")
	}
	option(l.Shown != 0, "shown", l.Shown)
	option(l.Operation != "", "operation", l.Operation)
	option(l.Method != "", "method", l.Method)
	option(l.Path != "", "path", l.Path)
	option(l.Credential != "", "credential", l.Credential)
	option(l.Per != "", "per", l.Per)
	for _, cost := range l.Costs {
		option(true, "cost", fmt.Sprintf("%s:%d", cost.Operation, cost.Units))
	}
	option(l.Skew != 0, "skew", l.Skew)
	option(l.Late != 0, "late", l.Late)
	return b.String()
}

func (l Limit) shape() string {
	switch l.Kind {
	case Concurrent, Jobs:
		return string(l.Kind)
	case CalendarHour, CalendarDay, CalendarMonth:
		return fmt.Sprintf("%s:%v", l.Kind, l.Zone)
	case Fixed, Weighted:
		return fmt.Sprintf("%v:%s:%v", l.Window, l.Kind, l.Offset)
	case TokenBucket:
		return fmt.Sprintf("%v:%s:%d", l.Window, l.Kind, l.Burst)
	case Stepped:
		return fmt.Sprintf("%v:%s:%v", l.Window, l.Kind, l.Step)
	default:
		return fmt.Sprintf("%v:%s", l.Window, l.Kind)
	}
}

// MarshalText makes a Limit its text form in JSON.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	*l, err = Parse(string(text))
	return err
}
