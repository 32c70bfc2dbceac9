package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
)

// checkNothingIsLeft looks for everything a cluster makes on the machine. That the search sees those things while the
// cluster runs is checked by testTracesAreFound.
func (c *testCluster) checkNothingIsLeft(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(leftovers{}, c.findLeftovers(t)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
	entries, err := filepath.Glob(filepath.Join(c.state.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{c.state.Lock(), c.state.Logs()}, entries); diff != "" {
		t.Errorf("state folder (-want +got):\n%s", diff)
	}
}

// leftovers are traces of a cluster on the machine.
type leftovers struct {
	Processes, Links, Routes, Mounts, Cgroups []string
}

func (c *testCluster) findLeftovers(t *testing.T) leftovers {
	t.Helper()
	var found leftovers
	for _, line := range c.processes(t) {
		found.Processes = append(found.Processes, line)
	}
	if link, err := netlink.LinkByName(c.networks.HostLink()); err == nil {
		found.Links = append(found.Links, link.Attrs().Name)
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range routes {
		for _, network := range c.networks.All() {
			if route.Dst != nil && route.Dst.String() == network.String() {
				found.Routes = append(found.Routes, route.String())
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, c.state.Dir) {
			found.Mounts = append(found.Mounts, line)
		}
	}
	for _, pattern := range []string{"", "*"} { // the only hierarchy, or that of each controller
		groups, err := filepath.Glob(filepath.Join(host.CgroupRoot, pattern, c.networks.Cgroup()))
		if err != nil {
			t.Fatal(err)
		}
		found.Cgroups = append(found.Cgroups, groups...)
	}
	return found
}

// processes returns the command lines of the cluster's processes, by their number on the machine.
func (c *testCluster) processes(t *testing.T) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(c.state.Dir)) { // an error: it has just ended
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		found[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	return found
}

// testTracesAreFound is the control: while the cluster runs, the search for leftovers sees it. Mounts are none on the
// machine even then: they are in the node's namespace only.
func (c *testCluster) testTracesAreFound(t *testing.T) {
	found := c.findLeftovers(t)
	if len(found.Processes) == 0 || len(found.Links) == 0 || len(found.Routes) == 0 || len(found.Cgroups) == 0 {
		t.Errorf("a running cluster goes unseen: %+v", found)
	}
	if len(found.Mounts) > 0 {
		t.Errorf("its mounts are seen on the machine: %v", found.Mounts)
	}
}
