// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"strings"
	"testing"
)

func TestCRMGeneric(t *testing.T) {
	with := func(more edits) edits {
		e := edits{
			"spec.provider": "Generic", "spec.licence.account": "acme", "spec.endpoint": "https://api.acme.test",
			"spec.credentials": map[string]any{"header": map[string]any{"name": "X-Api-Key", "secretRef": map[string]any{"name": "s"}}},
		}
		maps.Copy(e, more)
		return e
	}
	refusal := func(more edits) edits {
		rule := map[string]any{"statuses": []any{403, 420}}
		maps.Copy(rule, more)
		return with(edits{"spec.generic": map[string]any{"refusals": []any{rule}}})
	}
	member := func(path string, values ...any) edits {
		return refusal(edits{"member": map[string]any{"path": path, "values": values}})
	}
	key := func(more edits) edits {
		k := map[string]any{"validForSeconds": 3600, "match": []any{map[string]any{"methods": []any{"POST"}, "path": "/orders"}}}
		maps.Copy(k, more)
		return with(edits{"spec.generic": map[string]any{"idempotencyKey": k}})
	}
	bulkCall := func(more edits) map[string]any {
		b := map[string]any{"operation": "CreateOrder", "path": "/orders", "bulkPath": "/orders/bulk", "maxItems": 50, "id": "id", "effect": "AllOrNone"}
		maps.Copy(b, more)
		return b
	}
	bulkCalls := func(all ...any) edits { return with(edits{"spec.generic": map[string]any{"bulkCalls": all}}) }
	each := func(succeeded, failed string) map[string]any {
		return bulkCall(edits{"effect": "Each", "outcome": map[string]any{"path": "status", "succeeded": []any{succeeded}, "failed": []any{failed}}})
	}
	limitHeaders := func(h edits) edits {
		limits := []any{map[string]any{"name": "minute", "calls": 120, "windowSeconds": 60}}
		return with(edits{"spec.licence.limits": limits, "spec.generic": map[string]any{"limitHeaders": map[string]any(h)}})
	}
	const outcomeForEach = "outcome is required for effect Each"
	const otherMeaning = "header must be one that is passed on and has no other meaning"
	judge(t, validCRM, map[string]verdict{
		"a rule is taken":                              {refusal(edits{}), ""},
		"a rule with everything is taken":              {refusal(edits{"scope": "Record", "wait": map[string]any{"header": "X-Reset", "unit": "UnixSeconds"}}), ""},
		"rules are refused for other providers":        {edits{"spec.generic": map[string]any{"links": []any{"a"}}}, "generic is only for provider Generic: remove it"},
		"an empty object is refused":                   {with(edits{"spec.generic": map[string]any{}}), "should have at least 1 properties"},
		"no status is refused":                         {refusal(edits{"statuses": []any{}}), "should have at least 1 items"},
		"success is no refusal":                        {refusal(edits{"statuses": []any{202}}), "should be greater than or equal to 400"},
		"a status of 600 is refused":                   {refusal(edits{"statuses": []any{600}}), "should be less than or equal to 599"},
		"another scope is refused":                     {refusal(edits{"scope": "User"}), `Unsupported value: "User"`},
		"a member is taken":                            {member("errors/*/code", "BUSY"), ""},
		"a member with a dot is taken":                 {member("@odata.error/code", "BUSY"), ""},
		"a member with an empty name is refused":       {member("errors//code", "BUSY"), "path in body should match"},
		"a member of 9 names is refused":               {member(strings.Repeat("a/", 8)+"a", "BUSY"), "path in body should match"},
		"a member without a value is refused":          {member("code"), "spec.generic.refusals[0].member.values: Required value"},
		"a header that is none is refused":             {refusal(edits{"wait": map[string]any{"header": "X Reset"}}), "header in body should match"},
		"limit headers are taken":                      {with(edits{"spec.generic": map[string]any{"limitHeaders": map[string]any{"remaining": "X-Left"}}}), ""},
		"limit headers that are none are refused":      {with(edits{"spec.generic": map[string]any{"limitHeaders": map[string]any{}}}), "should have at least 1 properties"},
		"limit headers of a window are taken":          {limitHeaders(edits{"remaining": "X-Left", "windowSeconds": 60}), ""},
		"limit headers of another window are refused":  {limitHeaders(edits{"remaining": "X-Left", "windowSeconds": 61}), "generic.limitHeaders.windowSeconds must be that of one of licence.limits"},
		"a window of no headers is refused":            {limitHeaders(edits{"windowSeconds": 60}), "windowSeconds needs limit or remaining"},
		"a link twice is refused":                      {with(edits{"spec.generic": map[string]any{"links": []any{"a", "a"}}}), "Duplicate value"},
		"a key is taken":                               {key(edits{}), ""},
		"a key in a header of its own is taken":        {key(edits{"header": "X-Request-Key", "maxLength": 32}), ""},
		"a key in the credentials' place is refused":   {key(edits{"header": "authorization"}), otherMeaning},
		"a key in a header of the connection's":        {key(edits{"header": "Keep-Alive"}), otherMeaning},
		"a key where the CRM's own key is, is refused": {key(edits{"header": "x-api-key"}), "must be another header than credentials.header"},
		"a key of 31 characters is refused":            {key(edits{"maxLength": 31}), "should be greater than or equal to 32"},
		"a key that is forgotten at once is refused":   {key(edits{"validForSeconds": 59}), "should be greater than or equal to 60"},
		"a key without a word on how long it is known": {key(edits{"validForSeconds": nil}), "validForSeconds"},
		"a key for no calls is refused":                {key(edits{"match": []any{}}), "should have at least 1 items"},
		"a bulk call is taken":                         {bulkCalls(bulkCall(edits{"record": "order", "items": "data/orders", "results": "results", "answer": "body"})), ""},
		"a bulk call that tells of each is taken":      {bulkCalls(each("201", "422")), ""},
		"a value that says both is refused":            {bulkCalls(each("201", "201")), "a value must not be in both succeeded and failed"},
		"each without an outcome is refused":           {bulkCalls(bulkCall(edits{"effect": "Each"})), outcomeForEach},
		"an outcome for all or none is refused":        {bulkCalls(func() any { b := each("1", "2"); b["effect"] = "AllOrNone"; return b }()), outcomeForEach},
		"a bulk call to the same path is refused":      {bulkCalls(bulkCall(edits{"bulkPath": "/orders"})), "bulkPath must be another path than path"},
		"a bulk call with a pattern is refused":        {bulkCalls(bulkCall(edits{"path": "/orders/*"})), "path in body should match"},
		"a bulk call with a query is refused":          {bulkCalls(bulkCall(edits{"bulkPath": "/orders/bulk?all=1"})), "bulkPath in body should match"},
		"items in each of a list are refused":          {bulkCalls(bulkCall(edits{"items": "a/*/b"})), "items in body should match"},
		"a bulk call of one is refused":                {bulkCalls(bulkCall(edits{"maxItems": 1})), "should be greater than or equal to 2"},
		"a bulk call without an ID is refused":         {bulkCalls(bulkCall(edits{"id": nil})), "id"},
		"an operation twice is refused":                {bulkCalls(bulkCall(edits{}), bulkCall(edits{"path": "/others"})), "Duplicate value"},
		"a path twice is refused":                      {bulkCalls(bulkCall(edits{}), bulkCall(edits{"operation": "AddOrder"})), "each path must be there once"},
		"a list without rules is refused":              {with(edits{"spec.generic": map[string]any{"refusals": []any{}}}), "should have at least 1 items"},
	})
}
