package layout

import (
	"fmt"
	"net/netip"
)

// Slots is how many clusters one machine can run side by side, each with networks of its own.
const Slots = 8

// Networks are the addresses of the cluster in one slot. All lie in 198.18.0.0/15, which is set aside for benchmarks
// (RFC 2544): no office network or VPN routes it, so machine and cluster do not shadow each other's addresses.
type Networks struct {
	// Slot is the cluster's number on this machine, from 0 to Slots-1.
	Slot int
	// Node connects the machine (Host) and the node (NodeIP).
	Node         netip.Prefix
	Host, NodeIP netip.Addr
	// Services holds the ClusterIPs, with those of the API server and of the cluster's DNS.
	Services netip.Prefix
	API, DNS netip.Addr
	Pods     netip.Prefix
}

// NetworksOf returns the networks of a slot.
func NetworksOf(slot int) (Networks, error) {
	if slot < 0 || slot >= Slots {
		return Networks{}, fmt.Errorf("slot %d does not exist: slots go from 0 to %d", slot, Slots-1)
	}
	const servicesStart, servicesStep = 128, 16 // a /20 for each slot, in the upper half of 198.18.0.0/16
	node := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(slot), last}) }
	service := func(last byte) netip.Addr {
		return netip.AddrFrom4([4]byte{198, 18, byte(servicesStart + servicesStep*slot), last})
	}
	return Networks{
		Slot:     slot,
		Node:     netip.PrefixFrom(node(0), 24),
		Host:     node(1),
		NodeIP:   node(2),
		Services: netip.PrefixFrom(service(0), 20),
		API:      service(1),
		DNS:      service(10),
		Pods:     netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, byte(slot), 0}), 24),
	}, nil
}

// All lists the networks that the machine routes to the node.
func (n Networks) All() []netip.Prefix { return []netip.Prefix{n.Node, n.Services, n.Pods} }

// HostLink is the machine's end of the cable to the node.
func (n Networks) HostLink() string { return fmt.Sprintf("crmquota%d", n.Slot) }

// Cgroup is the control group, below the root of every hierarchy, that holds all pods.
func (n Networks) Cgroup() string { return fmt.Sprintf("crmquota%d", n.Slot) }
