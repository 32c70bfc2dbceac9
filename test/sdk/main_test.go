// SPDX-License-Identifier: Apache-2.0

// Package sdk sends real client packages through a built dispatcher, as a process of its own and over TLS, and has the CRM say whether any of their requests went
// round it. The packages come from `make sdk-packages`; what is missing is skipped, or with SDK=required fails.
package sdk

import (
	"os"
	"testing"

	"github.com/crmquota/crm-quota-operator/test/built"
)

func TestMain(m *testing.M) { built.Main(m) }

// unavailable ends a test whose client is not on this machine.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SDK") == "required" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing; make sdk-packages installs it", what)
}
