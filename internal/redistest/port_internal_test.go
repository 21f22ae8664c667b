package redistest

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPortThatAnotherProgramTookMeanwhile(t *testing.T) {
	t.Run("makes a new server take another one", func(t *testing.T) {
		s := prepare(t, standalone)
		taken := s.Addr()
		thief, err := net.Listen("tcp", taken)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, thief.Close()) })
		s.run(t)
		s.awaitReady(t)
		assert.NotEqual(t, taken, s.Addr())
		require.NoError(t, s.Client(t).Ping(t.Context()).Err())
	})
	t.Run("is not mistaken for the server when it is another Redis", func(t *testing.T) {
		other := Start(t)
		s := prepare(t, standalone)
		require.NoError(t, s.port.release())
		s.port = &port{number: other.port.number, claim: mustListen(t)}
		require.NoError(t, s.writeConfig())
		s.run(t)
		s.awaitReady(t)
		assert.NotEqual(t, other.Addr(), s.Addr())
	})
	t.Run("makes a restart wait until it is free again", func(t *testing.T) {
		s := Start(t)
		addr := s.Addr()
		s.Kill()
		thief, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		s.run(t)
		<-s.current().ended // it found the port taken
		require.NoError(t, thief.Close())
		s.awaitReady(t)
		assert.Equal(t, addr, s.Addr())
	})
}

func mustListen(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	return conn
}

func TestAReservedPortIsReservedOnce(t *testing.T) {
	one, err := reservePort(t.Context(), true)
	require.NoError(t, err)
	_, err = claimPort(t.Context(), one.number, false)
	require.Error(t, err)
	require.NoError(t, one.release())
	again, err := claimPort(t.Context(), one.number, true)
	require.NoError(t, err)
	require.NoError(t, again.release())
}

func TestAPortNeedsOneForTheBus(t *testing.T) {
	p, err := reservePort(t.Context(), true)
	require.NoError(t, err)
	require.NoError(t, p.release())
	bus, err := net.Listen("tcp", address(p.number+busOffset))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, bus.Close()) })
	_, err = claimPort(t.Context(), p.number, true)
	require.Error(t, err)
}
