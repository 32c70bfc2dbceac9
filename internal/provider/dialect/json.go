// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"encoding/json"
	"net/http"
)

// JSON encodes what always encodes: texts, numbers, and what was read as JSON before.
func JSON(v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return encoded
}

// WithJSON is the request with a body, as JSON, that is to be answered with JSON. body is such that it always encodes.
func (r Request) WithJSON(body any) Request {
	r.Header, r.Body = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, JSON(body)
	return r
}
