package kind

import (
	"strings"
	"testing"
)

func TestAbsentProgramsAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Cluster{Name: "test", KubeconfigFile: t.TempDir() + "/kubeconfig"}.Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "CLUSTER=kind needs kind in PATH") {
		t.Errorf("got %v", err)
	}
}
