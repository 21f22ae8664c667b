package outbound

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGuard(t *testing.T) {
	t.Run("refuses every address that is not public", func(t *testing.T) {
		for _, address := range []string{
			"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
			"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
			"192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
			"240.0.0.1", "255.255.255.255",
			"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
			"::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:1::1", "2001:db8::1",
			"2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
		} {
			err := new(Guard).check(netip.MustParseAddr(address))
			var refused *AddressError
			require.ErrorAs(t, err, &refused, address)
			assert.ErrorContains(t, err, "is not public")
		}
	})

	t.Run("lets public ones pass", func(t *testing.T) {
		for _, address := range []string{
			"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
			"169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
			"::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
		} {
			assert.NoError(t, new(Guard).check(netip.MustParseAddr(address)), address)
		}
	})

	t.Run("makes the exceptions that it was given, and no others", func(t *testing.T) {
		g := &Guard{Except: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}}
		for _, address := range []string{"10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "fd12::1%eth0"} {
			assert.NoError(t, g.check(netip.MustParseAddr(address)), address)
		}
		for _, address := range []string{"10.2.0.1", "fc00::1", "127.0.0.1"} {
			assert.Error(t, g.check(netip.MustParseAddr(address)), address)
		}
	})

	t.Run("refuses what is no address and port", func(t *testing.T) {
		var refused *AddressError
		err := new(Guard).control(t.Context(), "unix", "/run/docker.sock", nil)
		require.Error(t, err)
		assert.False(t, errors.As(err, &refused))
		assert.Error(t, new(Guard).control(t.Context(), "tcp4", "127.0.0.1:443", nil))
		assert.NoError(t, new(Guard).control(t.Context(), "tcp6", "[2606:4700::1111]:443", nil))
	})
}

// FuzzGuard: an address passes in one form if and only if it passes in another.
func FuzzGuard(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{8, 8, 8, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 4 {
			return
		}
		v4 := netip.AddrFrom4([4]byte(b))
		mapped := netip.AddrFrom16(v4.As16())
		passes := new(Guard).check(v4) == nil
		if mappedPasses := new(Guard).check(mapped) == nil; passes != mappedPasses {
			t.Fatalf("%v passes: %v, %v passes: %v", v4, passes, mapped, mappedPasses)
		}
		if passes && (v4.IsPrivate() || v4.IsLoopback() || v4.IsLinkLocalUnicast() || v4.IsMulticast() || v4.IsUnspecified()) {
			t.Fatalf("%v passes", v4)
		}
	})
}
