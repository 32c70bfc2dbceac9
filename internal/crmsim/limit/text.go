package limit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Syntax describes the text form of a Limit, for help texts.
const Syntax = `NAME=CALLS/WINDOW[:KIND[:PARAMETER]][,OPTION...]
  minute=400/60s              rolling (the default kind)
  minute=400/60s:fixed:15s    fixed windows that start 15 s after the full minute
  minute=400/60s:bucket:100   token bucket that holds 100
  day=2500/calendar:Europe/Berlin
  inflight=20/concurrent
options: judge (report, never refuse), operation=UpdateTicket, credential=agent@example.test`

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
	if err := l.parseOptions(options); err != nil {
		return fail("%v", err)
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
	switch window {
	case string(Concurrent):
		l.Kind = Concurrent
		return nil
	case string(CalendarDay):
		l.Kind = CalendarDay
		if rest == "" {
			return fmt.Errorf("calendar needs a time zone, such as calendar:Europe/Berlin")
		}
		l.Zone, err = time.LoadLocation(rest)
		return err
	}
	if l.Window, err = time.ParseDuration(window); err != nil {
		return fmt.Errorf("%q is not a window", window)
	}
	kind, parameter, _ := strings.Cut(rest, ":")
	l.Kind = Kind(cmp.Or(kind, string(Rolling)))
	switch {
	case l.Kind == Fixed && parameter != "":
		l.Offset, err = time.ParseDuration(parameter)
		return err
	case l.Kind == TokenBucket:
		if l.Burst, err = strconv.Atoi(parameter); err != nil {
			return fmt.Errorf("a bucket needs its size, such as bucket:100")
		}
		return nil
	case parameter != "":
		return fmt.Errorf("%s takes no parameter", l.Kind)
	case l.Kind == Rolling || l.Kind == Fixed:
		return nil
	}
	return fmt.Errorf("%q is not a kind that follows a window: rolling, fixed or bucket", kind)
}

func (l *Limit) parseOptions(options string) error {
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
		case "judge":
			l.JudgeOnly = true
		case "operation":
			l.Operation = value
		case "credential":
			l.Credential = value
		default:
			return fmt.Errorf("option %q is unknown", option)
		}
	}
	return nil
}

// String is the text form that Parse reads.
func (l Limit) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s=%d/", l.Name, l.Calls)
	switch l.Kind {
	case Concurrent:
		b.WriteString(string(Concurrent))
	case CalendarDay:
		fmt.Fprintf(&b, "%s:%v", CalendarDay, l.Zone)
	case Fixed:
		fmt.Fprintf(&b, "%v:%s:%v", l.Window, Fixed, l.Offset)
	case TokenBucket:
		fmt.Fprintf(&b, "%v:%s:%d", l.Window, TokenBucket, l.Burst)
	default:
		fmt.Fprintf(&b, "%v:%s", l.Window, l.Kind)
	}
	if l.JudgeOnly {
		b.WriteString(",judge")
	}
	if l.Operation != "" {
		b.WriteString(",operation=" + l.Operation)
	}
	if l.Credential != "" {
		b.WriteString(",credential=" + l.Credential)
	}
	return b.String()
}

// MarshalText makes a Limit its text form in JSON.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	*l, err = Parse(string(text))
	return err
}
