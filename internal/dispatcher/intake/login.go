// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	// maxLogin is the longest request for a token, in bytes. A service account token is some kilobytes.
	maxLogin = 64 << 10
	// loginAgain is after how long a client is told to ask for a token again. What it gets is accepted as long as its key is; this has a rotated key noticed.
	loginAgain = time.Hour
)

// secretFields are those of a request for a token in which a client can present its key: whichever its package asks for (RFC 6749, 2.3.1, 4.3.2 and 6).
var secretFields = []string{"client_secret", "password", "refresh_token"}

// isLogin reports whether a request asks for a token, where the CRM has its token endpoint. Such a request never goes to the CRM.
func (e *exchange) isLogin() bool {
	path := e.view.provider.TokenPath()
	return path != "" && e.r.Method == http.MethodPost && e.r.URL.Path == path
}

// login answers a package that asks for a token before anything else: with the key that it presents, if that is a client's, for it is what the intake accepts. The
// CRM is not asked.
func (e *exchange) login() error {
	_ = e.control.SetReadDeadline(e.started.Add(bodyTime)) // not supported: in tests only
	body, err := io.ReadAll(http.MaxBytesReader(e.w, e.r.Body, maxLogin))
	if err != nil {
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return &call.Refusal{Code: contract.ReasonBodyTooLarge, Detail: "a request for a token is not longer than 64 KiB"}
		}
		return bodyRefusal(err)
	}
	_ = e.control.SetReadDeadline(time.Time{})
	presented := append(e.view.clients.places.presented(e.r.Header), loginSecrets(e.r.Header.Get("Content-Type"), body)...)
	if len(presented) == 0 {
		e.writeLogin(http.StatusBadRequest, map[string]any{
			"error": "invalid_request", "error_description": "present the key of a client as client_secret, password or refresh_token",
		})
		return nil
	}
	for _, secret := range presented {
		if _, err := e.view.clients.recognise(e.started, secret); err != nil {
			continue
		}
		answer := map[string]any{"access_token": secret, "token_type": "Bearer", "expires_in": int64(loginAgain / time.Second)}
		for name, value := range e.view.provider.TokenFields(strings.TrimSuffix(e.view.plan.Intake.URL, "/"), e.started) {
			answer[name] = value
		}
		e.writeLogin(http.StatusOK, answer)
		return nil
	}
	e.writeLogin(http.StatusUnauthorized, map[string]any{
		"error": "invalid_client", "error_description": "the key that was presented is not one of a client of this CRM",
	})
	return nil
}

// loginSecrets are what a request for a token presents: a form, or JSON as Zendesk takes it.
func loginSecrets(contentType string, body []byte) []string {
	fields := map[string]string{}
	if strings.HasPrefix(strings.ToLower(contentType), "application/json") {
		var all map[string]any
		if json.Unmarshal(body, &all) != nil {
			return nil
		}
		for _, name := range secretFields {
			fields[name], _ = all[name].(string)
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil
		}
		for _, name := range secretFields {
			if len(form[name]) == 1 { // one that is there twice counts for nothing, as with headers
				fields[name] = form[name][0]
			}
		}
	}
	var secrets []string
	for _, name := range secretFields {
		if fields[name] != "" {
			secrets = append(secrets, fields[name])
		}
	}
	return secrets
}

// writeLogin sends an answer of a token endpoint (RFC 6749, 5.1 and 5.2).
func (e *exchange) writeLogin(status int, answer map[string]any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic("intake: strings and numbers always encode: " + err.Error())
	}
	header := e.w.Header()
	header.Set("Content-Type", "application/json;charset=UTF-8")
	header.Set("Pragma", "no-cache")
	if status == http.StatusUnauthorized {
		header.Set("Www-Authenticate", `Basic realm="crmquota", charset="UTF-8"`)
	}
	e.write(status, body)
}
