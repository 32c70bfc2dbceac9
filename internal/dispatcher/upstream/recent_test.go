// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// TestAnEditedSecretIsReadWithinASecond, a missing one with every call.
func TestAnEditedSecretIsReadWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := fstest.MapFS{"token": {Data: []byte("old")}}
		c := Credentials{Files: files, Recent: &Recent{}}
		kind := contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}}
		signed := func() string {
			s, err := c.sign(t.Context(), Destination{Endpoint: "https://crm.test", Credentials: kind})
			if err != nil {
				return err.Error()
			}
			return s.header.Get("Authorization")
		}
		if got := signed(); got != "Bearer old" {
			t.Fatal(got)
		}
		files["token"] = &fstest.MapFile{Data: []byte("new")}
		time.Sleep(time.Second - time.Nanosecond)
		if got := signed(); got != "Bearer old" {
			t.Errorf("the Secret is read for every call: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := signed(); got != "Bearer new" {
			t.Errorf("after a second still %s", got)
		}
		time.Sleep(time.Second)
		delete(files, "token")
		if got := signed(); got == "Bearer new" {
			t.Error("a key that is gone is still used")
		}
		files["token"] = &fstest.MapFile{Data: []byte("back")}
		if got := signed(); got != "Bearer back" {
			t.Errorf("a key that is there again is not seen at once: %s", got)
		}
	})
}
