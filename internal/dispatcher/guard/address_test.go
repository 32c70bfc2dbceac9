// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// TestCheck has the first and the last address of each block, and its neighbours.
func TestCheck(t *testing.T) {
	addresses := map[reach]string{
		never: `0.0.0.0 0.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 100.100.100.200 168.63.129.16 192.0.0.0 192.0.0.192 192.0.0.255
			224.0.0.0 239.255.255.255 255.255.255.255
			:: fe80::1 fe80::1%eth0 febf:ffff::1 fec0::1 ff02::1 ::127.0.0.1 ::8.8.8.8 100::1 4000::1 64:ff9b:1::808:808 2001::1 2001:1ff:ffff::1 2001:db8::1 3fff::1
			fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:c1::a9fe:a9fe fd00:100::100:200 fd00:42::42 fd00:a9fe:a9fe::1
			::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 64:ff9b::a83f:8110`,
		private: `127.0.0.0 127.0.0.1 127.255.255.255 10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 100.64.0.0 100.100.100.199
			100.100.100.201 100.127.255.255 198.18.0.0 198.19.255.255 192.0.2.1 198.51.100.1 203.0.113.1 240.0.0.0 255.255.255.254
			::1 fc00::1 fd00::1 fd20:ce::253 fdff:ffff::1 ::ffff:10.1.2.3 ::ffff:127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::7f00:1 2002:a01:203::1 2002:7f00:1::`,
		public: `1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0
			172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
			2000::1 2001:200::1 2001:db9::1 2a00:1450:4001::1 3ffe::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1`,
	}
	for want, list := range addresses {
		for text := range strings.FieldsSeq(list) {
			a := netip.MustParseAddr(text)
			if ok := Check(contract.NetworkPublic, a) == nil; ok != (want == public) {
				t.Errorf("%s in the public network: %v", text, ok)
			}
			if ok := Check(contract.NetworkPrivate, a) == nil; ok != (want != never) {
				t.Errorf("%s in a private network: %v", text, ok)
			}
		}
	}
	if Check(contract.NetworkPrivate, netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
}

// anyAddress draws an address, often one from the beginning of a block.
func anyAddress(t *rapid.T) netip.Addr {
	bytes := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")
	switch b := rapid.SampledFrom(blocks).Draw(t, "block"); rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		return netip.AddrFrom4([4]byte(bytes))
	case 1:
		return netip.AddrFrom16([16]byte(bytes))
	default:
		return b.Addr()
	}
}

// TestWhatStandsForAnAddressIsJudgedAsIt: in none of the forms in which an IPv4 address can be written does it lead further than by itself.
func TestWhatStandsForAnAddressIsJudgedAsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		four := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		rest := rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "rest")
		plain := netip.AddrFrom4(four)
		sixToFour := [16]byte(append(append([]byte{0x20, 0x02}, four[:]...), rest...))
		nat64 := netip.MustParseAddr("64:ff9b::").As16()
		copy(nat64[12:], four[:])
		for _, in := range []contract.Network{contract.NetworkPublic, contract.NetworkPrivate} {
			want := Check(in, plain) == nil
			for _, a := range []netip.Addr{netip.AddrFrom16(plain.As16()), netip.AddrFrom16(nat64), netip.AddrFrom16(sixToFour)} {
				if got := Check(in, a) == nil; got != want {
					t.Fatalf("%s in %q: %v, and %s: %v", plain, in, want, a, got)
				}
			}
		}
	})
}

// TestCheckByAnotherJudge: what the standard library calls by its name is never taken for more than it is, and a zone changes nothing.
func TestCheckByAnotherJudge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAddress(t)
		inPublic, inPrivate := Check(contract.NetworkPublic, a), Check(contract.NetworkPrivate, a)
		if inPublic == nil && inPrivate != nil {
			t.Fatalf("%s is allowed in the public network alone", a)
		}
		ip := net.IP(a.AsSlice())
		if inPublic == nil && (!ip.IsGlobalUnicast() || ip.IsPrivate()) {
			t.Fatalf("%s is allowed", a)
		}
		if inPrivate == nil && (ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast()) {
			t.Fatalf("%s is allowed in a private network", a)
		}
		if a.Is6() && !a.Is4In6() {
			for in, without := range map[contract.Network]error{contract.NetworkPublic: inPublic, contract.NetworkPrivate: inPrivate} {
				if with := Check(in, a.WithZone("eth0")); (with == nil) != (without == nil) {
					t.Fatalf("%s in %q: %v, with a zone %v", a, in, without, with)
				}
			}
		}
	})
}

func TestRefusalSaysWhatToDo(t *testing.T) {
	for address, want := range map[string]string{
		"10.1.2.3": "10.1.2.3 is an address of a private network, to which the CRM object does not allow connections: " +
			"set spec.network to Private if it is the right one",
		"169.254.169.254": "169.254.169.254 is a link-local address, to which no connection is ever made",
	} {
		err := Check(contract.NetworkPublic, netip.MustParseAddr(address))
		if refusal, is := errors.AsType[*Refusal](err); !is || refusal.Error() != want || refusal.Address.String() != address {
			t.Errorf("%s: %v", address, err)
		}
	}
}
