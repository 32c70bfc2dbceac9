// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
)

// ErrBadKey says that the Secret's private key cannot sign. Nothing was sent.
var ErrBadKey = errors.New("the private key in the credentials Secret is not an RSA key in PEM form, without a passphrase")

// errPending: a token was asked for and has not come yet.
var errPending = errors.New("the first access token has not come yet")

// Refusal is the token endpoint's no. Asking again with the same grant is unlikely to help.
type Refusal struct {
	// Code is the endpoint's error code, such as invalid_client; empty if it gave none that can be shown.
	Code string
	// Reauthorize: the refresh token is not valid any more, so only somebody who may authorise the client can help.
	Reauthorize bool

	// detail replaces the endpoint's no when it was not asked.
	detail string
	pause  time.Duration
}

// Error implements error. It holds nothing of the endpoint's answer but a code of a known form.
func (r *Refusal) Error() string {
	detail := r.detail
	if detail == "" {
		detail = "the token endpoint refuses the client (" + cmp.Or(r.Code, "no error code") + ")"
	}
	if r.Reauthorize {
		detail += ": authorise the client anew and put its new refresh token into the credentials Secret"
	}
	return detail
}

// Unavailable says that the token endpoint cannot be reached, or gives no usable answer.
type Unavailable struct {
	detail string
	pause  time.Duration
}

// Error implements error. It holds nothing of the endpoint's answer.
func (u *Unavailable) Error() string { return "no access token: the token endpoint " + u.detail }

// codes are error codes that can be shown. Whatever else an endpoint puts there could be an echo of what it was sent.
var codes = regexp.MustCompile(`^[a-z]{1,16}(_[a-z]{1,16}){1,3}$`)

// maxPause bounds the pause that an endpoint may ask for.
const maxPause = 10 * time.Minute

// explain turns an error of package oauth2 into one that can be shown: those of the package hold the endpoint's answer.
func explain(err error, kind Kind) error {
	answer, is := errors.AsType[*oauth2.RetrieveError](err)
	if !is {
		return &Unavailable{detail: trouble(err)}
	}
	pause := retryAfter(answer.Response.Header)
	if status := answer.Response.StatusCode; status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return &Unavailable{detail: "answers " + strconv.Itoa(status), pause: pause}
	}
	r := &Refusal{Code: errorCode(answer), pause: pause}
	if r.Code == "temporarily_unavailable" || r.Code == "server_error" {
		return &Unavailable{detail: "answers " + r.Code, pause: pause}
	}
	r.Reauthorize = kind == RefreshToken && r.Code == "invalid_grant"
	return r
}

// errorCode reads the code from the body where package oauth2 does not.
func errorCode(answer *oauth2.RetrieveError) string {
	code := answer.ErrorCode
	if code == "" {
		var body struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(answer.Body, &body) == nil {
			code = body.Error
		}
	}
	if !codes.MatchString(code) {
		return ""
	}
	return code
}

// retryAfter reads the seconds of a Retry-After header, 0 if there are none.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause) //nolint:gosec // of 31 bits
}

// trouble says in words of our own what went wrong on the way: the transport's own words can hold what the endpoint sent.
func trouble(err error) string {
	if refusal, is := errors.AsType[*guard.Refusal](err); is {
		return "is not asked: " + refusal.Error()
	}
	if _, is := errors.AsType[*net.DNSError](err); is {
		return "cannot be looked up"
	}
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return "has a certificate that is not trusted"
	}
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "does not answer"
	}
	if operation, is := errors.AsType[*net.OpError](err); is && operation.Op == "dial" {
		return "takes no connection"
	}
	return "gives no usable answer"
}
