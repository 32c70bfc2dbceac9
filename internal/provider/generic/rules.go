// SPDX-License-Identifier: Apache-2.0

package generic

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Declared is an API of which the plan tells. What it does not tell is as with any API.
type Declared struct {
	Generic
	Rules contract.Generic
}

// Refused goes by the rules, if there are some.
func (d Declared) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if len(d.Rules.Refusals) == 0 {
		return d.Generic.Refused(a, now)
	}
	for _, r := range d.Rules.Refusals {
		if slices.Contains(r.Statuses, int64(a.Status)) && meets(a, r) {
			v := a.Refuse(scopes[r.Scope], now)
			if wait, told := waitIn(a.Header, r.Wait, now); told {
				v.Wait = wait
			}
			return v
		}
	}
	return dialect.Verdict{}
}

var scopes = map[contract.RefusalScope]dialect.Scope{
	contract.RefusalLicence: dialect.ScopeLicence, contract.RefusalEndpoint: dialect.ScopeOperation, contract.RefusalRecord: dialect.ScopeRecord,
}

// meets says whether the body has one of the values where the rule asks for that.
func meets(a dialect.Answer, r contract.RefusalRule) bool {
	if len(r.Member) == 0 {
		return true
	}
	var document any
	a.JSON(&document)
	return has(document, r.Member, r.Values)
}

func has(document any, member, values []string) bool {
	if len(member) == 0 {
		text, is := scalar(document)
		return is && slices.Contains(values, text)
	}
	switch v := document.(type) {
	case map[string]any:
		inner, there := v[member[0]]
		return there && has(inner, member[1:], values)
	case []any:
		return member[0] == dialect.Each && slices.ContainsFunc(v, func(element any) bool { return has(element, member[1:], values) })
	}
	return false
}

// scalar is a value as text, if it is neither object nor array nor null.
func scalar(v any) (text string, is bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, float64:
		encoded, err := json.Marshal(v)
		return string(encoded), err == nil
	}
	return "", false
}

func waitIn(header http.Header, from *contract.TimeHeader, now time.Time) (wait time.Duration, told bool) {
	if from == nil || header.Get(from.Header) == "" {
		return 0, false
	}
	if from.Unix {
		return dialect.UntilReset(header, from.Header, now), true
	}
	return dialect.RetryAfter(http.Header{"Retry-After": {header.Get(from.Header)}}, now)
}

// ShowShare writes the headers that are declared.
func (d Declared) ShowShare(header http.Header, share dialect.Share) {
	to := d.Rules.LimitHeaders
	if to == nil {
		return
	}
	if to.Limit != "" {
		dialect.SetCount(header, to.Limit, share.Most)
	}
	if to.Remaining != "" {
		dialect.SetCount(header, to.Remaining, share.Left)
	}
	switch {
	case to.Reset == nil:
	case to.Reset.Unix:
		dialect.SetReset(header, to.Reset.Header, share)
	default:
		header.Set(to.Reset.Header, dialect.RetrySeconds(max(share.Renews, time.Second)))
	}
}

// Links are the usual ones and those that are declared.
func (d Declared) Links() []dialect.Link {
	all := d.Generic.Links()
	for _, l := range d.Rules.Links {
		all = append(all, dialect.Link(l))
	}
	return all
}

// Classify goes by the method, and by what is declared of bulk calls and keys.
func (d Declared) Classify(method, path string, body []byte) dialect.Class {
	class := d.Generic.Classify(method, path, body)
	class.Operation = d.operation(method, path)
	k := d.Rules.IdempotencyKey
	if k == nil || !slices.ContainsFunc(k.Match, func(m contract.CallMatch) bool {
		return slices.Contains(m.Methods, method) && call.PathMatches(m.Path, path)
	}) {
		return class
	}
	class.Key = &dialect.Key{Header: k.Header, MaxLength: int(k.MaxLength), ValidFor: time.Duration(k.ValidForSeconds) * time.Second}
	return class
}
