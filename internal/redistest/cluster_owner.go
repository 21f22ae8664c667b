package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Master returns the node that owns the slot of a key. While that one is down it waits
// until another was elected.
func (c *Cluster) Master(t testing.TB, key string) *Server {
	t.Helper()
	var owner *Server
	await(t, func() error {
		var newest int64 = -1
		for _, node := range c.nodes {
			epoch, err := node.ownsSlotOf(t.Context(), key)
			if err != nil {
				continue // down, or not the owner
			}
			// A master that comes back believes for a moment that it still is one.
			if epoch > newest {
				newest, owner = epoch, node
			}
		}
		if owner == nil {
			return fmt.Errorf("no node that runs owns the slot of %q", key)
		}
		return nil
	})
	return owner
}

// ownsSlotOf returns the epoch in which the node became the owner of a key's slot.
func (s *Server) ownsSlotOf(ctx context.Context, key string) (epoch int64, err error) {
	var slot int64
	err = s.ask(ctx, func(ctx context.Context, client *redis.Client) error {
		slot, err = client.ClusterKeySlot(ctx, key).Result()
		return err
	})
	if err != nil {
		return 0, err
	}
	known, err := s.clusterNodes(ctx)
	if err != nil {
		return 0, err
	}
	for _, n := range known {
		if n.has("myself") && n.has("master") && n.owns(slot) {
			return strconv.ParseInt(n[6], 10, 64)
		}
	}
	return 0, errors.New("owned by another node")
}

// clusterLine is a line of CLUSTER NODES, split at its spaces: id, address, flags,
// master, ping, pong, epoch, link, and the ranges of slots.
type clusterLine []string

func (s *Server) clusterNodes(ctx context.Context) ([]clusterLine, error) {
	var text string
	err := s.ask(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		text, err = client.ClusterNodes(ctx).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	var lines []clusterLine
	for line := range strings.Lines(text) {
		parts := strings.Fields(line)
		if len(parts) < 8 {
			return nil, fmt.Errorf("CLUSTER NODES: %q", line)
		}
		lines = append(lines, parts)
	}
	return lines, nil
}

func (l clusterLine) has(flag string) bool {
	return slices.Contains(strings.Split(l[2], ","), flag)
}

func (l clusterLine) owns(slot int64) bool {
	for _, part := range l[8:] {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		// Slots that move between nodes are no range of numbers, and are not owned.
		first, errFirst := strconv.ParseInt(from, 10, 64)
		last, errLast := strconv.ParseInt(to, 10, 64)
		if errFirst == nil && errLast == nil && first <= slot && slot <= last {
			return true
		}
	}
	return false
}
