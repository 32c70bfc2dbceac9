package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

const (
	// owner marks our routes in the routing table (the "proto" of ip route); the number is not assigned to anybody.
	owner netlink.RouteProtocol = 199
	// lastResort is a metric that every other route beats.
	lastResort = 65000
)

// Route is an entry of the machine's routing table, as far as it matters here.
type Route struct {
	Destination netip.Prefix
	Device      string
	// Ours says that a local cluster made it.
	Ours bool
}

// Fence makes the cluster's networks unreachable unless a better route exists. It comes first of all and goes last of
// all: when the node dies its cable vanishes, and without the fence connections to the cluster's addresses would leave
// the machine by its default route.
func Fence(networks layout.Networks) error {
	for _, network := range networks.All() {
		if err := netlink.RouteReplace(fence(network)); err != nil {
			return fmt.Errorf("make %s unreachable: %w", network, err)
		}
	}
	return nil
}

// Unfence removes what Fence made. It is no error if it is gone.
func Unfence(networks layout.Networks) error {
	var failed []error
	for _, network := range networks.All() {
		if err := netlink.RouteDel(fence(network)); err != nil && !errors.Is(err, unix.ESRCH) {
			failed = append(failed, fmt.Errorf("remove the unreachable route to %s: %w", network, err))
		}
	}
	return errors.Join(failed...)
}

// CheckFree reports whether the networks can be used: it returns an error if the machine routes any of their
// addresses already. Routes that a dead cluster left behind do not count.
func CheckFree(networks layout.Networks) error {
	routes, err := listRoutes()
	if err != nil {
		return fmt.Errorf("read the machine's routes: %w", err)
	}
	if found := Collisions(networks.All(), routes); len(found) > 0 {
		return fmt.Errorf("the machine already routes addresses of the cluster: %s; use another slot (-slot) or remove the route", strings.Join(found, ", "))
	}
	return nil
}

// Collisions describes the routes that overlap a wanted network. The default route does not count: ours are narrower
// and shadow nothing that anybody uses.
func Collisions(wanted []netip.Prefix, routes []Route) []string {
	var found []string
	for _, route := range routes {
		if route.Ours || route.Destination.Bits() == 0 {
			continue
		}
		for _, network := range wanted {
			if network.Overlaps(route.Destination) {
				found = append(found, fmt.Sprintf("%s (%s) overlaps %s", route.Destination, route.Device, network))
			}
		}
	}
	return found
}

func listRoutes() ([]Route, error) {
	entries, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	routes := make([]Route, 0, len(entries))
	for _, entry := range entries {
		route := Route{Ours: entry.Protocol == owner, Device: "no device"}
		if entry.Dst != nil { // nil is the default route
			address, _ := netip.AddrFromSlice(entry.Dst.IP.To4())
			bits, _ := entry.Dst.Mask.Size()
			route.Destination = netip.PrefixFrom(address, bits)
		}
		if link, err := netlink.LinkByIndex(entry.LinkIndex); err == nil {
			route.Device = link.Attrs().Name
		}
		routes = append(routes, route)
	}
	return routes, nil
}

func fence(network netip.Prefix) *netlink.Route {
	return &netlink.Route{Dst: ipNet(network), Type: unix.RTN_UNREACHABLE, Priority: lastResort, Protocol: owner}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
