// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"encoding/json"
	"strconv"
)

// Decode reads the JSON body and reports whether it could be.
func (c *Call) Decode(into any) bool { return json.Unmarshal(c.Body, into) == nil }

// Query is a parameter of the URL.
func (c *Call) Query(name string) string { return c.Request.URL.Query().Get(name) }

// Number is a parameter of the URL from 0 to most; otherwise if it is absent or not sensible.
func (c *Call) Number(name string, otherwise, most int) int {
	n, err := strconv.Atoi(c.Query(name))
	if err != nil || n < 0 || n > most {
		return otherwise
	}
	return n
}
