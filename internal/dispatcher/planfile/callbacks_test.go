// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestCallbacksAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*contract.Callbacks)
		want string
	}{
		"good":            {func(*contract.Callbacks) {}, ""},
		"in clear text":   {func(c *contract.Callbacks) { c.Endpoints[0].URL = "http://adapter.svc/results?a=b" }, ""},
		"a path":          {func(c *contract.Callbacks) { c.Secret = "../credentials" }, `.callbacks.secret: "../credentials" is not the name of a Secret`},
		"no endpoint":     {func(c *contract.Callbacks) { c.Endpoints = nil }, ".callbacks.endpoints: 0 is not between 1 and 8"},
		"a name twice":    {func(c *contract.Callbacks) { c.Endpoints = append(c.Endpoints, c.Endpoints[0]) }, ".callbacks.endpoints[1].name: names must be"},
		"a name of zeros": {func(c *contract.Callbacks) { c.Endpoints[0].Name = "a\x00b" }, ".callbacks.endpoints[0].name: names must be"},
		"a file":          {func(c *contract.Callbacks) { c.Endpoints[0].URL = "file:///etc/passwd" }, `.callbacks.endpoints[0].url: "file:///etc/passwd" is not a URL`},
		"no host":         {func(c *contract.Callbacks) { c.Endpoints[0].URL = "https:///results" }, `.callbacks.endpoints[0].url: "https:///results" is not a URL`},
		"a user":          {func(c *contract.Callbacks) { c.Endpoints[0].URL = "https://u:p@app.test" }, `.callbacks.endpoints[0].url: "https://u:p@app.test" is not a URL`},
	} {
		t.Run(name, func(t *testing.T) {
			plan, rejected := Parse(golden(t))
			if rejected != nil {
				t.Fatal(rejected.Reason)
			}
			callbacks := &contract.Callbacks{Secret: "keys", Endpoints: []contract.CallbackEndpoint{{Name: "app", URL: "https://app.test/results"}}}
			c.edit(callbacks)
			plan.Integrations[0].Callbacks = callbacks
			err := validate(plan)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}
