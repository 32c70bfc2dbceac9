// SPDX-License-Identifier: Apache-2.0

package dialect

import "net/http"

// Response is the refusal as JSON with that status, and Retry-After, without which clients would try again at once. body must be such that it always encodes.
func (r Refusal) Response(status int, body any) Response {
	header := http.Header{}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Retry-After", RetrySeconds(r.RetryAfter))
	return Response{Status: status, Header: header, Body: append(JSON(body), '\n')}
}
