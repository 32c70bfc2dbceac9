// SPDX-License-Identifier: Apache-2.0

package call_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestACredentialIsNotPrinted in whatever way a call is.
func TestACredentialIsNotPrinted(t *testing.T) {
	c := &call.Call{Credential: call.NewCredential("authorization", "Bearer s3cret")}
	if got := c.Credential.Header().Get("Authorization"); got != "Bearer s3cret" {
		t.Fatalf("it signs with %q", got)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a call", "call", c, "credential", c.Credential)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c.Credential, c.Credential), fmt.Sprintf("%v %+v %#v", *c, *c, c.Credential), log.String(), string(encoded),
	} {
		if strings.Contains(text, "s3cret") {
			t.Errorf("%s", text)
		}
	}
}
