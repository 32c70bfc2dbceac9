// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/url"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// pathOf is the path of a call as adapters see it: decoded and without a query.
func pathOf(what call) string {
	parsed, err := url.Parse(what.path)
	if err != nil {
		return what.path
	}
	return parsed.Path
}

func classOf(p provider.Provider, what call) dialect.Class {
	return p.Classify(what.method, pathOf(what), []byte(what.body))
}

// refused is what the adapter says of an answer.
func refused(p provider.Provider, what call, got answer, now time.Time) (wait time.Duration, is bool) {
	v := p.Refused(dialect.Answer{
		Method: what.method, Path: p.Canonical(pathOf(what)), Status: got.status, Header: got.header, Body: got.body,
	}, now)
	return v.Wait, v.Refused
}
