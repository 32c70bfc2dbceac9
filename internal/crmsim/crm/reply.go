// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Reply is an answer to be sent.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON is a reply with a JSON body.
func JSON(status int, body any) Reply {
	encoded, err := json.Marshal(body)
	if err != nil { // what a CRM answers with always encodes
		panic(err)
	}
	r := Empty(status)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Body = encoded
	return r
}

// Empty is a reply without a body.
func Empty(status int) Reply { return Reply{Status: status, Header: http.Header{}} }

// Seconds rounds up, so that whoever waits that long has waited enough.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// UnixSeconds is the moment d after now, rounded up to the second.
func UnixSeconds(now time.Time, d time.Duration) string {
	return strconv.FormatInt(now.Add(d+time.Second-1).Unix(), 10)
}
