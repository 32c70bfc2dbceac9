package layout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSlotsDoNotOverlap(t *testing.T) {
	for i := range Slots {
		a := mustNetworks(t, i)
		for _, network := range a.All() {
			if !network.IsValid() || network.Masked() != network {
				t.Errorf("slot %d: %s is not a network", i, network)
			}
		}
		for j := range i {
			for _, one := range a.All() {
				for _, other := range mustNetworks(t, j).All() {
					if one.Overlaps(other) {
						t.Errorf("slot %d's %s overlaps slot %d's %s", i, one, j, other)
					}
				}
			}
		}
	}
}

func TestNetworksOfOneSlotAreApartAndHoldTheirAddresses(t *testing.T) {
	for slot := range Slots {
		n := mustNetworks(t, slot)
		if n.Node.Overlaps(n.Services) || n.Node.Overlaps(n.Pods) || n.Services.Overlaps(n.Pods) {
			t.Errorf("slot %d: networks overlap: %v", slot, n.All())
		}
		if !n.Node.Contains(n.Host) || !n.Node.Contains(n.NodeIP) || n.Host == n.NodeIP {
			t.Errorf("slot %d: machine %s and node %s are not two addresses in %s", slot, n.Host, n.NodeIP, n.Node)
		}
		if !n.Services.Contains(n.API) || !n.Services.Contains(n.DNS) {
			t.Errorf("slot %d: %s or %s is outside %s", slot, n.API, n.DNS, n.Services)
		}
	}
}

func TestSlotsOutOfRangeAreRefused(t *testing.T) {
	for _, slot := range []int{-1, Slots} {
		if _, err := NetworksOf(slot); err == nil {
			t.Errorf("slot %d was accepted", slot)
		}
	}
}

func TestFindWalksUpToTheRepository(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/cache")
	root := t.TempDir()
	deep := filepath.Join(root, "internal", "deep")
	for _, dir := range []string{deep, filepath.Join(root, "hack", "modules")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := Find(deep)
	if err != nil {
		t.Fatal(err)
	}
	want := Paths{Root: root, Binaries: filepath.Join(root, "bin/k8s"), Cache: "/cache/crm-quota-operator", State: filepath.Join(root, "bin/cluster")}
	if paths != want {
		t.Errorf("got %+v, want %+v", paths, want)
	}
}

func TestFindOutsideTheRepositorySaysWhatToDo(t *testing.T) {
	_, err := Find(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "run this from the repository") {
		t.Errorf("got %v", err)
	}
}

func mustNetworks(t *testing.T, slot int) Networks {
	t.Helper()
	n, err := NetworksOf(slot)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
