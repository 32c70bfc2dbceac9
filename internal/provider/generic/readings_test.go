// SPDX-License-Identifier: Apache-2.0

package generic_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

func TestStandardLimitHeaders(t *testing.T) {
	minute := func(r dialect.Reading) []dialect.Reading {
		r.Window = time.Minute
		return []dialect.Reading{r}
	}
	for name, test := range map[string]struct {
		policy, state []string
		want          []dialect.Reading
	}{
		"none":     {nil, nil, nil},
		"a policy": {[]string{`"default";q=100;w=60`}, nil, minute(dialect.Reading{Limit: 100})},
		"and its state": {
			[]string{`"default";q=100;w=60`}, []string{`"default";r=50;t=30`}, minute(dialect.Reading{Limit: 100, Remaining: new(int64(50)), Resets: 30 * time.Second}),
		},
		"two windows, in two lines": {
			[]string{`"minute";q=100;w=60`, `"day";q=1000;w=86400`}, []string{`"day";r=7, "minute";r=0;t=5`},
			[]dialect.Reading{
				{Window: time.Minute, Limit: 100, Remaining: new(int64(0)), Resets: 5 * time.Second},
				{Window: 24 * time.Hour, Limit: 1000, Remaining: new(int64(7))},
			},
		},
		"the state of another policy": {[]string{`"a";q=100;w=60`}, []string{`"b";r=1;t=1`}, minute(dialect.Reading{Limit: 100})},
		"a state that cannot be read": {[]string{`"a";q=100;w=60`}, []string{`"a";r=`}, minute(dialect.Reading{Limit: 100})},
		"a state without a policy":    {nil, []string{`"a";r=1;t=1`}, nil},
		"another unit":                {[]string{`"a";q=100;w=60;qu="content-bytes"`}, nil, nil},
		"requests":                    {[]string{`"a";q=100;w=60;qu="requests"`}, nil, minute(dialect.Reading{Limit: 100})},
		"two of one window":           {[]string{`"a";q=100;w=60, "b";q=5;w=60`}, nil, minute(dialect.Reading{Limit: 100})},
		"no window":                   {[]string{`"a";q=100`}, nil, nil},
		"a window of no time":         {[]string{`"a";q=100;w=0`}, nil, nil},
		"figures below nothing":       {[]string{`"a";q=100;w=60`}, []string{`"a";r=-1;t=-1`}, minute(dialect.Reading{Limit: 100})},
		"figures that are too large":  {[]string{`"a";q=2000000000;w=60`}, nil, nil},
		"fractions":                   {[]string{`"a";q=100.5;w=60`}, nil, nil},
		"an older draft's numbers":    {[]string{`100;w=60`}, []string{`limit=100, remaining=50, reset=30`}, nil},
		"a list in a list":            {[]string{`("a" "b");q=1;w=60`}, nil, nil},
		"what is no structured field": {[]string{`"a;q=100;w=60`}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for _, v := range test.policy {
				header.Add("RateLimit-Policy", v)
			}
			for _, v := range test.state {
				header.Add("RateLimit", v)
			}
			if diff := cmp.Diff(test.want, generic.Generic{}.Readings(header, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeclaredLimitHeadersAreRead(t *testing.T) {
	all := http.Header{
		"X-Limit": {"100"}, "X-Left": {"40"}, "X-Reset": {"1795435230"}, "X-Seconds": {"20"},
		"Ratelimit-Policy": {`"a";q=90;w=60, "b";q=1000;w=3600`},
	}
	reset := &contract.TimeHeader{Header: "X-Reset", Unix: true}
	hour := dialect.Reading{Window: time.Hour, Limit: 1000}
	for name, test := range map[string]struct {
		from contract.LimitHeaders
		want []dialect.Reading
	}{
		"all": {
			contract.LimitHeaders{Limit: "X-Limit", Remaining: "X-Left", Reset: reset, WindowSeconds: 60},
			[]dialect.Reading{{Window: time.Minute, Limit: 100, Remaining: new(int64(40)), Resets: 30 * time.Second}, hour},
		},
		"seconds": {
			contract.LimitHeaders{Remaining: "X-Left", Reset: &contract.TimeHeader{Header: "X-Seconds"}, WindowSeconds: 60},
			[]dialect.Reading{{Window: time.Minute, Remaining: new(int64(40)), Resets: 20 * time.Second}, hour},
		},
		"not those without a window": {
			contract.LimitHeaders{Limit: "X-Limit", Remaining: "X-Left", Reset: reset}, []dialect.Reading{{Window: time.Minute, Limit: 90}, hour},
		},
		"not those that are absent": {
			contract.LimitHeaders{Limit: "X-Most", WindowSeconds: 60}, []dialect.Reading{{Window: time.Minute, Limit: 90}, hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := generic.Declared{Rules: contract.Generic{LimitHeaders: &test.from}}.Readings(all, now)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
