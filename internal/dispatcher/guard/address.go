// SPDX-License-Identifier: Apache-2.0

// Package guard keeps connections away from addresses where no CRM is. A name server's answer, which others may write, decides where a host name leads: into the
// cluster, to the machine itself, to the metadata service of a cloud, which gives credentials to whoever asks. So the address itself is judged, when a connection to
// it is about to be made.
package guard

import (
	"net/netip"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// reach is how far an address is known.
type reach int

const (
	// never: no CRM has such an address.
	never reach = iota
	// private: within a network; in another one it is another machine.
	private
	// public: everywhere.
	public
	// inner: the IPv4 address that it holds decides.
	inner
)

// block is a range of addresses.
type block struct {
	netip.Prefix
	reach reach
	// what an address of it is, in words.
	what string
	// first is where in one with reach inner the IPv4 address begins, in bytes.
	first int
}

// blocks by IANA's registries of special-purpose addresses, and the clouds' own; the first one that holds an address decides. What clouds and meshes give to pods and
// services though it is reserved for something else (class E, benchmarks, documentation) is private.
var blocks = []block{
	at("0.0.0.0/8", never, "an address of no machine"),
	at("169.254.0.0/16", never, "a link-local address"), // metadata services of most clouds
	at("100.100.100.200/32", never, metadata),           // Alibaba Cloud
	at("168.63.129.16/32", never, metadata),             // Azure
	at("192.0.0.0/24", never, "a reserved address"),     // 192.0.0.192: Oracle Cloud
	at("224.0.0.0/4", never, "a multicast address"),
	at("255.255.255.255/32", never, "the broadcast address"),
	at("127.0.0.0/8", private, loopback),
	at("10.0.0.0/8", private, privateNetwork),
	at("172.16.0.0/12", private, privateNetwork),
	at("192.168.0.0/16", private, privateNetwork),
	at("100.64.0.0/10", private, privateNetwork),
	at("198.18.0.0/15", private, privateNetwork),
	at("192.0.2.0/24", private, privateNetwork),
	at("198.51.100.0/24", private, privateNetwork),
	at("203.0.113.0/24", private, privateNetwork),
	at("240.0.0.0/4", private, privateNetwork),
	at("0.0.0.0/0", public, ""),

	at("::1/128", private, loopback),
	at("fd00:ec2::/32", never, metadata),             // AWS
	at("fd20:ce::254/128", never, metadata),          // Google Cloud
	at("fd00:c1::a9fe:a9fe/128", never, metadata),    // Oracle Cloud
	at("fd00:100::100:200/128", never, metadata),     // Alibaba Cloud
	at("fd00:42::42/128", never, metadata),           // Scaleway
	at("fd00:a9fe:a9fe::/48", never, metadata),       // Akamai
	at("fc00::/7", private, privateNetwork),          // unique local, RFC 4193
	at("fe80::/10", never, "a link-local address"),   // RFC 4291
	at("ff00::/8", never, "a multicast address"),     // RFC 4291
	holding("64:ff9b::/96", 12),                      // NAT64, RFC 6052
	holding("2002::/16", 2),                          // 6to4, RFC 3056
	at("2001::/23", never, "a reserved address"),     // Teredo and others, RFC 2928
	at("2001:db8::/32", never, "a reserved address"), // documentation, RFC 3849
	at("3fff::/20", never, "a reserved address"),     // documentation, RFC 9637
	at("2000::/3", public, ""),                       // global unicast, RFC 4291
	at("::/0", never, "a reserved address"),
}

const (
	metadata       = "an address of the cloud's own services"
	loopback       = "an address of the dispatcher's own machine"
	privateNetwork = "an address of a private network"
)

func at(prefix string, r reach, what string) block {
	return block{Prefix: netip.MustParsePrefix(prefix), reach: r, what: what}
}

func holding(prefix string, first int) block {
	return block{Prefix: netip.MustParsePrefix(prefix), reach: inner, first: first}
}

// blockOf finds the block of an address, or of the IPv4 address that it stands for.
func blockOf(a netip.Addr) block {
	a = a.Unmap().WithZone("")
	for _, b := range blocks {
		if !b.Contains(a) {
			continue
		}
		if b.reach != inner {
			return b
		}
		bytes := a.As16()
		return blockOf(netip.AddrFrom4([4]byte(bytes[b.first:])))
	}
	return block{what: "no address"}
}

// Refusal says why no connection is made to an address.
type Refusal struct {
	Address netip.Addr
	// what the address is; private: it would be allowed in contract.NetworkPrivate.
	what    string
	private bool
}

// Error implements error. It names the field to change where that would help.
func (r *Refusal) Error() string {
	text := r.Address.String() + " is " + r.what
	if r.private {
		return text + ", to which the CRM object does not allow connections: set spec.network to Private if it is the right one"
	}
	return text + ", to which no connection is ever made"
}

// Check returns nil if connections to an address may be made in a network, else a *Refusal.
func Check(in contract.Network, a netip.Addr) error {
	b := blockOf(a)
	if b.reach == public || b.reach == private && in == contract.NetworkPrivate {
		return nil
	}
	return &Refusal{Address: a, what: b.what, private: b.reach == private}
}
