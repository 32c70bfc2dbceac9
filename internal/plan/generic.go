// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// generic translates what the spec tells of an API without an adapter.
func generic(from *v1alpha1.Generic) *contract.Generic {
	if from == nil {
		return nil
	}
	to := &contract.Generic{}
	for _, r := range from.Refusals {
		rule := contract.RefusalRule{Scope: contract.RefusalScope(r.Scope), Wait: timeHeader(r.Wait)}
		for _, s := range r.Statuses {
			rule.Statuses = append(rule.Statuses, int64(s))
		}
		if r.Member != nil {
			rule.Member = memberPath(r.Member.Path)
			rule.Values = texts(r.Member.Values)
		}
		to.Refusals = append(to.Refusals, rule)
	}
	if h := from.LimitHeaders; h != (v1alpha1.LimitHeaders{}) {
		to.LimitHeaders = &contract.LimitHeaders{
			Limit: string(h.Limit), Remaining: string(h.Remaining), Reset: timeHeader(h.Reset), WindowSeconds: int64(h.WindowSeconds),
		}
	}
	for _, l := range from.Links {
		to.Links = append(to.Links, memberPath(l))
	}
	if k := from.IdempotencyKey; k != nil {
		to.IdempotencyKey = &contract.IdempotencyKey{
			Header: string(k.Header), MaxLength: int64(k.MaxLength), ValidForSeconds: int64(k.ValidForSeconds),
		}
		for _, m := range k.Match {
			match := contract.CallMatch{Path: string(m.Path)}
			for _, method := range m.Methods {
				match.Methods = append(match.Methods, string(method))
			}
			to.IdempotencyKey.Match = append(to.IdempotencyKey.Match, match)
		}
	}
	for i := range from.BulkCalls {
		to.BulkCalls = append(to.BulkCalls, bulkCall(&from.BulkCalls[i]))
	}
	return to
}

func bulkCall(from *v1alpha1.BulkCall) contract.BulkCall {
	to := contract.BulkCall{
		Operation: string(from.Operation), Path: string(from.Path), Record: from.Record, BulkPath: string(from.BulkPath), MaxItems: int64(from.MaxItems),
		Items: plainPath(from.Items), Results: plainPath(from.Results), ID: plainPath(from.ID), Answer: plainPath(from.Answer),
	}
	if o := from.Outcome; o != nil {
		to.Outcome = &contract.BulkOutcome{Member: plainPath(o.Path), Succeeded: texts(o.Succeeded), Failed: texts(o.Failed)}
	}
	return to
}

func texts(values []v1alpha1.MemberValue) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// plainPath is nil for a path that is absent.
func plainPath(path v1alpha1.PlainMemberPath) []string {
	if path == "" {
		return nil
	}
	return strings.Split(string(path), "/")
}

func timeHeader(from *v1alpha1.TimeHeader) *contract.TimeHeader {
	if from == nil {
		return nil
	}
	return &contract.TimeHeader{Header: string(from.Header), Unix: from.Unit == v1alpha1.ResetUnitUnixSeconds}
}

func memberPath(path v1alpha1.MemberPath) []string { return strings.Split(string(path), "/") }
