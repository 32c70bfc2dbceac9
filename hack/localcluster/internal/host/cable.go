package host

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

// NodeLink is the name of the cable's end in the node.
const NodeLink = "eth0"

// PlugIn lays the cable from the machine to the network namespace of the process pid, and routes the cluster's
// networks through it. The state folder is written on the cable, for InUse.
func PlugIn(networks layout.Networks, pid int, stateDir string) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = networks.HostLink()
	cable := &netlink.Veth{LinkAttrs: attributes, PeerName: NodeLink, PeerNamespace: netlink.NsPid(pid)}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("lay the cable to the node: %w", err)
	}
	link, err := netlink.LinkByName(networks.HostLink())
	if err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(networks.Host, networks.Node.Bits()))}
	if err := errors.Join(netlink.LinkSetAlias(link, stateDir), netlink.AddrAdd(link, address), netlink.LinkSetUp(link)); err != nil {
		return fmt.Errorf("set up the machine's end of the cable: %w", err)
	}
	for _, network := range []netip.Prefix{networks.Services, networks.Pods} {
		route := &netlink.Route{Dst: ipNet(network), Gw: networks.NodeIP.AsSlice(), LinkIndex: link.Attrs().Index, Protocol: owner}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("route %s to the node: %w", network, err)
		}
	}
	return nil
}

// Unplug removes the cable and its routes. It is no error if it is gone, as after the node's death.
func Unplug(networks layout.Networks) error {
	link, err := netlink.LinkByName(networks.HostLink())
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := netlink.LinkDel(link); err != nil && !isGone(err) {
		return fmt.Errorf("remove %s: %w", networks.HostLink(), err)
	}
	return nil
}

// InUse returns the state folder of the cluster that runs in the slot of networks, or "" if there is none.
func InUse(networks layout.Networks) (stateDir string, err error) {
	link, err := netlink.LinkByName(networks.HostLink())
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if alias := link.Attrs().Alias; alias != "" {
		return alias, nil
	}
	return "(unknown)", nil
}
