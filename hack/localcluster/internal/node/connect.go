package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"

	"github.com/vishvananda/netlink"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
)

// connect sets up the node's network. There is no default route: nothing in the node reaches beyond the machine.
func connect(ctx context.Context, c config.Cluster) error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	cable, err := netlink.LinkByName(host.NodeLink)
	if err != nil {
		return fmt.Errorf("the cable to the machine is missing: %w", err)
	}
	address := ipNet(netip.PrefixFrom(c.Networks.NodeIP, c.Networks.Node.Bits()))
	err = errors.Join(
		netlink.LinkSetUp(loopback),
		netlink.AddrAdd(cable, &netlink.Addr{IPNet: address}),
		netlink.LinkSetUp(cable),
	)
	if err != nil {
		return fmt.Errorf("set up the node's links: %w", err)
	}
	// kube-proxy rewrites the addresses of Services only after the kernel has found some route for them. This one leads
	// to nobody, so that an address without a Service fails here and does not wander to the machine and back.
	services := &netlink.Route{Dst: ipNet(c.Networks.Services), LinkIndex: cable.Attrs().Index, Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteAdd(services); err != nil {
		return fmt.Errorf("route the Services: %w", err)
	}
	for setting, value := range kernelSettings() {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+setting, []byte(value), 0o644); err != nil {
			return err
		}
	}
	nft := exec.CommandContext(ctx, "nft", "--file", c.State.Config("guard.nft"))
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("keep pods from the machine: nft: %w: %s", err, out)
	}
	return nil
}

// kernelSettings are those of the node's network namespace, below net.ipv4.
func kernelSettings() map[string]string {
	return map[string]string{
		"ip_forward": "1", // between pods, and between them and the machine
		// When the node is killed, pods go before the sockets that were connected to them. Sockets that nobody owns any
		// more but that still try to say goodbye would keep the namespace, and so the cable, for two minutes.
		"tcp_orphan_retries": "1",
	}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
