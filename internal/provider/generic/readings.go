// SPDX-License-Identifier: Apache-2.0

package generic

import (
	"iter"
	"maps"
	"net/http"
	"time"

	"github.com/dunglas/httpsfv"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Usage is not known: there is no call that all APIs have.
func (Generic) Usage() (dialect.Usage, bool) { return dialect.Usage{}, false }

// Readings are those of the standard fields.
func (Generic) Readings(header http.Header, _ time.Time) []dialect.Reading { return standard(header) }

// Readings are those of the declared headers, if it is declared what they tell of, and of the standard fields for other windows.
func (d Declared) Readings(header http.Header, now time.Time) []dialect.Reading {
	from := d.Rules.LimitHeaders
	if from == nil || from.WindowSeconds == 0 {
		return standard(header)
	}
	r, said := dialect.LimitAndRemaining(header, from.Limit, from.Remaining)
	if !said {
		return standard(header)
	}
	r.Window = seconds(from.WindowSeconds)
	switch {
	case from.Reset == nil:
	case from.Reset.Unix:
		r.Resets = dialect.UntilReset(header, from.Reset.Header, now)
	default:
		r.Resets = dialect.Seconds(header, from.Reset.Header)
	}
	return oneOfEach(append([]dialect.Reading{r}, standard(header)...))
}

// The standard fields (draft-ietf-httpapi-ratelimit-headers-10): policies with their quota q in a window of w seconds, and by their names what remains of them, r, and
// in how many seconds, t, there is more.
const (
	policies = "RateLimit-Policy"
	states   = "RateLimit"
)

// standard reads the fields RateLimit-Policy and RateLimit. What cannot be read tells nothing, nor does what counts other things than requests.
func standard(header http.Header) []dialect.Reading {
	if header.Get(policies) == "" { // most answers
		return nil
	}
	state := maps.Collect(namedItems(header, states))
	var all []dialect.Reading
	for name, policy := range namedItems(header, policies) {
		window, hasWindow := number(policy, "w")
		quota, hasQuota := number(policy, "q")
		unit, hasUnit := policy.Params.Get("qu")
		if !hasWindow || !hasQuota || window == 0 || hasUnit && unit != "requests" {
			continue
		}
		r := dialect.Reading{Window: seconds(window), Limit: quota}
		if of, told := state[name]; told {
			if left, ok := number(of, "r"); ok {
				r.Remaining = new(left)
			}
			if t, ok := number(of, "t"); ok {
				r.Resets = seconds(t)
			}
		}
		all = append(all, r)
	}
	return oneOfEach(all)
}

// namedItems are those of a list with names, in order.
func namedItems(header http.Header, field string) iter.Seq2[string, httpsfv.Item] {
	list, err := httpsfv.UnmarshalList(header.Values(field))
	return func(yield func(string, httpsfv.Item) bool) {
		if err != nil {
			return
		}
		for _, member := range list {
			item, is := member.(httpsfv.Item)
			name, named := item.Value.(string)
			if is && named && !yield(name, item) {
				return
			}
		}
	}
}

// number is a parameter that is a count.
func number(item httpsfv.Item, name string) (n int64, ok bool) {
	value, _ := item.Params.Get(name)
	n, ok = value.(int64)
	return n, ok && 0 <= n && n <= dialect.MaxReading
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// oneOfEach keeps the first reading of each window: nothing tells two of them apart.
func oneOfEach(all []dialect.Reading) []dialect.Reading {
	var kept []dialect.Reading
	seen := map[time.Duration]bool{}
	for _, r := range all {
		if !seen[r.Window] {
			seen[r.Window] = true
			kept = append(kept, r)
		}
	}
	return kept
}
