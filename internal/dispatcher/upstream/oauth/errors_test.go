// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

// answered is the error of package oauth2 for an answer.
func answered(status int, header http.Header, code, body string) error {
	return &oauth2.RetrieveError{Response: &http.Response{StatusCode: status, Header: header}, ErrorCode: code, Body: []byte(body)}
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	later := http.Header{"Retry-After": {"90"}}
	for name, c := range map[string]struct {
		err         error
		kind        Kind
		want        string
		reauthorize bool
		pause       time.Duration
	}{
		"a dead refresh token": {
			answered(400, nil, "invalid_grant", ""), RefreshToken, "(invalid_grant): authorise the client anew and put its new refresh token into the credentials Secret", true, 0,
		},
		"a bad assertion":              {answered(400, nil, "", `{"error":"invalid_grant","error_description":"s3cret"}`), JWTBearer, "refuses the client (invalid_grant)", false, 0},
		"a wrong client":               {answered(401, nil, "invalid_client", ""), ClientCredentials, "refuses the client (invalid_client)", false, 0},
		"a code of another form":       {answered(400, nil, "s3cret", ""), ClientCredentials, "refuses the client (no error code)", false, 0},
		"no code at all":               {answered(403, later, "", "<html>s3cret</html>"), ClientCredentials, "refuses the client (no error code)", false, 90 * time.Second},
		"a redirect":                   {answered(307, nil, "", ""), ClientCredentials, "refuses the client (no error code)", false, 0},
		"too many requests":            {answered(429, later, "slow_down", ""), ClientCredentials, "answers 429", false, 90 * time.Second},
		"a pause without end":          {answered(503, http.Header{"Retry-After": {"100000"}}, "", ""), ClientCredentials, "answers 503", false, maxPause},
		"a pause until a date":         {answered(503, http.Header{"Retry-After": {"Mon, 23 Nov 2026 10:00:00 GMT"}}, "", ""), ClientCredentials, "answers 503", false, 0},
		"trouble that passes, as a no": {answered(400, nil, "temporarily_unavailable", ""), ClientCredentials, "answers temporarily_unavailable", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			err := explain(c.err, c.kind)
			if !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error is %q, want %q at its end", err, c.want)
			}
			var reauthorize bool
			var pause time.Duration
			if refusal, is := errors.AsType[*Refusal](err); is {
				reauthorize, pause = refusal.Reauthorize, refusal.pause
			} else if unavailable, is := errors.AsType[*Unavailable](err); is {
				pause = unavailable.pause
			}
			if reauthorize != c.reauthorize || pause != c.pause {
				t.Errorf("reauthorize %t, pause %s; want %t, %s", reauthorize, pause, c.reauthorize, c.pause)
			}
		})
	}
}

func TestTroubleOnTheWay(t *testing.T) {
	dial := func(err error) error {
		return &url.Error{Op: "Post", URL: "https://s3cret.test", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	got := map[string]string{}
	for name, err := range map[string]error{
		"no such name":   dial(&net.DNSError{Err: "no such host", Name: "s3cret", IsNotFound: true}),
		"nobody listens": dial(os.NewSyscallError("connect", errors.New("connection refused"))),
		"no answer":      &url.Error{Op: "Post", URL: "https://s3cret.test", Err: context.DeadlineExceeded},
		"a certificate":  &url.Error{Op: "Post", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
		"garbage":        &url.Error{Op: "Post", Err: errors.New("malformed HTTP response \"s3cret\"")},
		"a short answer": io.ErrUnexpectedEOF,
	} {
		got[name] = strings.TrimPrefix(explain(err, ClientCredentials).Error(), "no access token: the token endpoint ")
	}
	want := map[string]string{
		"no such name": "cannot be looked up", "nobody listens": "takes no connection", "no answer": "does not answer",
		"a certificate": "has a certificate that is not trusted", "garbage": "gives no usable answer", "a short answer": "gives no usable answer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

// FuzzErrorCode: whatever an endpoint answers, what is shown has the form of a code.
func FuzzErrorCode(f *testing.F) {
	f.Add("", []byte(`{"error":"invalid_grant"}`))
	f.Add("invalid_client", []byte(nil))
	f.Fuzz(func(t *testing.T, code string, body []byte) {
		got := errorCode(&oauth2.RetrieveError{ErrorCode: code, Body: body})
		if len(got) > 70 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("%q is shown", got)
		}
	})
}
