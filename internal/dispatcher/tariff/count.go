// SPDX-License-Identifier: Apache-2.0

package tariff

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// unknown is the count of what cannot be counted.
const unknown = -1

// count is how many of the things there are in the call that its cost depends on.
func (a *asked) count(per *contract.Per) int64 {
	switch {
	case per == nil:
		return unknown
	case per.BodyArray != "":
		if n, counted := a.Counts[per.BodyArray]; counted {
			return n
		}
		return unknown
	}
	query, err := url.ParseQuery(a.query)
	if err != nil {
		return unknown
	}
	if per.QueryList != "" {
		return listed(query[per.QueryList])
	}
	return largest(query[per.QueryNumber])
}

// listed is how many names there are in all the values together.
func listed(values []string) (n int64) {
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if strings.TrimSpace(name) != "" {
				n++
			}
		}
	}
	return n
}

// largest is the largest of the numbers, because it is not known which one the CRM takes; unknown if one is no number, or there is none.
func largest(values []string) int64 {
	most := int64(unknown)
	for _, value := range values {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return unknown
		}
		most = max(most, n)
	}
	return most
}
