// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"net/url"
	"regexp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

var endpointName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// callbacks checks who is told of results, and by which Secret.
func (p *problems) callbacks(c *contract.Callbacks, field string) {
	if c == nil {
		return
	}
	p.require(secretName.MatchString(c.Secret), field+".secret", "%q is not the name of a Secret", c.Secret)
	p.within(int64(len(c.Endpoints)), 1, contract.MaxCallbackEndpoints, field+".endpoints")
	names := map[string]bool{}
	for i, e := range c.Endpoints {
		at := fmt.Sprintf("%s.endpoints[%d]", field, i)
		p.require(endpointName.MatchString(e.Name) && !names[e.Name], at+".name", "names must be of letters, digits and '-', and differ")
		names[e.Name] = true
		u, err := url.Parse(e.URL)
		p.require(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Fragment == "", at+".url",
			"%q is not a URL of scheme http or https without user and fragment", e.URL)
	}
}
