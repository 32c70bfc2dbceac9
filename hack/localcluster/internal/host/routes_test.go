package host

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

func TestCollisions(t *testing.T) {
	networks, err := layout.NetworksOf(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		routes []Route
		want   []string
	}{
		"an ordinary machine does not collide": {
			routes: []Route{route("0.0.0.0/0", "eth0"), route("192.168.1.0/24", "eth0"), route("172.17.0.0/16", "docker0")},
		},
		"a VPN that routes all private addresses does not collide": {
			routes: []Route{route("10.0.0.0/8", "tun0"), route("172.16.0.0/12", "tun0"), route("192.168.0.0/16", "tun0")},
		},
		"a route to the very network collides": {
			routes: []Route{route("198.18.0.0/24", "eth1")},
			want:   []string{"198.18.0.0/24 (eth1) overlaps 198.18.0.0/24"},
		},
		"a wider route collides with every network in it": {
			routes: []Route{route("198.18.0.0/16", "utun")},
			want:   []string{"198.18.0.0/16 (utun) overlaps 198.18.0.0/24", "198.18.0.0/16 (utun) overlaps 198.18.128.0/20"},
		},
		"a route to one address of a network collides": {
			routes: []Route{route("198.19.0.77/32", "eth1")},
			want:   []string{"198.19.0.77/32 (eth1) overlaps 198.19.0.0/24"},
		},
		"the next slot's networks do not collide": {
			routes: []Route{route("198.18.1.0/24", "crmquota1"), route("198.18.144.0/20", "crmquota1"), route("198.19.1.0/24", "crmquota1")},
		},
		"what a dead cluster left does not collide": {
			routes: []Route{{Destination: netip.MustParsePrefix("198.18.0.0/24"), Device: "no device", Ours: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Collisions(networks.All(), test.routes)); diff != "" {
				t.Errorf("collisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheMachinesRoutesCanBeRead(t *testing.T) {
	if _, err := listRoutes(); err != nil {
		t.Fatal(err)
	}
}

func route(destination, device string) Route {
	return Route{Destination: netip.MustParsePrefix(destination), Device: device}
}
