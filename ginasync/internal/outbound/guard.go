package outbound

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// Guard refuses connections to addresses that are not on the public internet. The zero
// value allows no exceptions.
type Guard struct {
	// Except are networks that may be reached all the same.
	Except []netip.Prefix
}

// AddressError says that an address was refused.
type AddressError struct{ Address netip.Addr }

// Error names the address: it is for the log, and for nobody who gave the URL.
func (e *AddressError) Error() string {
	return fmt.Sprintf("outbound: the address %v is not public", e.Address)
}

// publicV6 is where all public IPv6 addresses are so far.
var publicV6 = netip.MustParsePrefix("2000::/3")

// denied are the networks that are not public, of IPv4 and of publicV6, from the
// special-purpose registries of IANA. Those of IPv6 that have an IPv4 address in them
// would lead around the others.
var denied = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // shared, carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, with the metadata services of clouds
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// check returns an *AddressError for an address that may not be reached.
func (g *Guard) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	for _, exception := range g.Except {
		if exception.Contains(addr) {
			return nil
		}
	}
	if addr.Is6() && !publicV6.Contains(addr) {
		return &AddressError{addr}
	}
	for _, network := range denied {
		if network.Contains(addr) {
			return &AddressError{addr}
		}
	}
	return nil
}

// control is the ControlContext of a net.Dialer: it sees the very address that the
// connection goes to.
func (g *Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("outbound: not an address: %w", err)
	}
	return g.check(to.Addr())
}
