package redistest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that systems give to outgoing connections: a
// client that dials a server that is down can then not be given that very port itself.
// The port for the bus of a cluster node, 10 000 higher, stays below it as well.
const (
	lowestPort  = 15_000
	highestPort = 22_767
	busOffset   = 10_000
)

// port is a TCP port of 127.0.0.1 that one server has, also while it is down.
type port struct {
	number int
	// Whoever has the UDP port of a number has the number. Redis uses no UDP, so this
	// keeps all test processes of a machine from each other's ports, and ends with them.
	claim net.PacketConn
}

// reservePort takes a free port, with one for the bus of a cluster node if asked to.
func reservePort(ctx context.Context, bus bool) (*port, error) {
	var errs []error
	for range 50 {
		number := lowestPort + rand.IntN(highestPort-lowestPort+1)
		p, err := claimPort(ctx, number, bus)
		if err == nil {
			return p, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no free port: %w", errors.Join(errs...))
}

func claimPort(ctx context.Context, number int, bus bool) (*port, error) {
	var listen net.ListenConfig
	claim, err := listen.ListenPacket(ctx, "udp", address(number))
	if err != nil {
		return nil, err
	}
	numbers := []int{number}
	if bus {
		numbers = append(numbers, number+busOffset)
	}
	for _, n := range numbers {
		probe, err := listen.Listen(ctx, "tcp", address(n))
		if err != nil {
			return nil, errors.Join(err, claim.Close())
		}
		if err := probe.Close(); err != nil {
			return nil, errors.Join(err, claim.Close())
		}
	}
	return &port{number: number, claim: claim}, nil
}

func (p *port) release() error { return p.claim.Close() }

func address(number int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(number)) }
