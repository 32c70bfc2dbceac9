// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTheBinaryHasNoKubernetesInIt(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed", len(packages))
	}
	for _, path := range packages {
		for _, foreign := range []string{"k8s.io/", "sigs.k8s.io/", "github.com/crmquota/crm-quota-operator/api", "github.com/crmquota/crm-quota-operator/controllers"} {
			if strings.HasPrefix(path, foreign) {
				t.Errorf("%s is linked in", path)
			}
		}
	}
}
