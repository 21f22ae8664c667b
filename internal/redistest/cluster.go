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

// slots is how many slots a cluster has.
const slots = 16_384

// Cluster is a Redis Cluster of masters with one replica each. Its methods are safe for
// concurrent use.
type Cluster struct {
	nodes   []*Server
	masters int
}

// StartCluster runs a cluster until t ends and returns when all its nodes take commands
// and each replica follows its master. Nodes count as failed after 2 s of silence. It
// takes three masters to elect another for one that is lost. The lines of config go to
// each node, as for [Start].
func StartCluster(t testing.TB, masters int, config ...string) *Cluster {
	t.Helper()
	lines := append([]string{
		"cluster-enabled yes",
		"cluster-node-timeout 2000",
		"cluster-announce-ip 127.0.0.1",
		"repl-diskless-sync-delay 0", // or each replica waits 5 s for others to come
	}, config...)
	c := &Cluster{masters: masters}
	for range 2 * masters {
		node := prepare(t, clusterNode, lines...)
		node.run(t)
		c.nodes = append(c.nodes, node)
	}
	for _, node := range c.nodes {
		node.awaitReady(t)
	}
	if err := c.join(t.Context()); err != nil {
		t.Fatalf("redistest: join the cluster: %v", err)
	}
	c.each(t, (*Cluster).notJoined)
	for i, replica := range c.nodes[masters:] {
		if err := replica.replicate(t.Context(), c.nodes[i]); err != nil {
			t.Fatalf("redistest: attach a replica: %v", err)
		}
	}
	c.each(t, (*Cluster).notReady)
	return c
}

// join gives each master its slots and has each node meet all others.
func (c *Cluster) join(ctx context.Context) error {
	for i, node := range c.nodes {
		err := node.ask(ctx, func(ctx context.Context, client *redis.Client) error {
			if i < c.masters {
				first, next := i*slots/c.masters, (i+1)*slots/c.masters
				if err := client.ClusterAddSlotsRange(ctx, first, next-1).Err(); err != nil {
					return err
				}
			}
			// Nodes that meet with one epoch have to settle first who comes before whom.
			if err := client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
				return err
			}
			for _, other := range c.nodes[:i] {
				if err := client.ClusterMeet(ctx, "127.0.0.1", strconv.Itoa(other.port.number)).Err(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replicate makes the node a replica of a master, which it has met.
func (s *Server) replicate(ctx context.Context, master *Server) error {
	var id string
	err := master.ask(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		id, err = client.ClusterMyID(ctx).Result()
		return err
	})
	if err != nil {
		return err
	}
	return s.ask(ctx, func(ctx context.Context, client *redis.Client) error {
		return client.ClusterReplicate(ctx, id).Err()
	})
}

// each waits until something that a node lacks is there on all nodes.
func (c *Cluster) each(t testing.TB, lacks func(*Cluster, context.Context, *Server) error) {
	t.Helper()
	for _, node := range c.nodes {
		await(t, func() error {
			if err := lacks(c, t.Context(), node); err != nil {
				return fmt.Errorf("cluster node %s: %w", node.Addr(), err)
			}
			return nil
		})
	}
}

// notJoined returns what keeps a node from knowing all others, or nil.
func (c *Cluster) notJoined(ctx context.Context, node *Server) error {
	known, err := node.clusterNodes(ctx)
	if err != nil {
		return err
	}
	strangers := slices.ContainsFunc(known, func(n clusterLine) bool { return n.has("handshake") })
	if len(known) != len(c.nodes) || strangers {
		return fmt.Errorf("has not met all: %v", known)
	}
	return nil
}

// notReady returns what keeps a node from serving its part of the cluster, or nil.
func (c *Cluster) notReady(ctx context.Context, node *Server) error {
	var text string
	err := node.ask(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		text, err = client.ClusterInfo(ctx).Result()
		return err
	})
	if err != nil {
		return err
	}
	state := fields(text)
	if state["cluster_state"] != "ok" || state["cluster_slots_ok"] != strconv.Itoa(slots) {
		return fmt.Errorf("state %v", state)
	}
	known, err := node.clusterNodes(ctx)
	if err != nil {
		return err
	}
	replicas := 0
	for _, n := range known {
		if n.has("slave") {
			replicas++
		}
	}
	if replicas != c.masters {
		return fmt.Errorf("knows %d replicas of %d", replicas, c.masters)
	}
	return node.notReplicating(ctx)
}

// notReplicating returns what keeps a replica from following its master, or a master
// from being followed, or nil.
func (s *Server) notReplicating(ctx context.Context) error {
	info, err := s.info(ctx)
	if err != nil {
		return err
	}
	if info["role"] == "slave" && info["master_link_status"] != "up" {
		return errors.New("the replica has no link to its master")
	}
	if info["role"] == "master" && !strings.Contains(info["slave0"], "state=online") {
		return errors.New("the master has no replica")
	}
	return nil
}

// Addrs returns host:port of each node, masters first.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, 0, len(c.nodes))
	for _, node := range c.nodes {
		addrs = append(addrs, node.Addr())
	}
	return addrs
}

// Nodes returns all nodes: the first masters, then their replicas in the same order.
// An election changes who is a master, not the order.
func (c *Cluster) Nodes() []*Server { return slices.Clone(c.nodes) }

// Client returns a client of the cluster that is closed when t ends. It respects the
// deadlines of contexts and is otherwise what a user makes.
func (c *Cluster) Client(t testing.TB) *redis.ClusterClient {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 c.Addrs(),
		Password:              c.nodes[0].password(),
		ContextTimeoutEnabled: true,
	})
	closeWith(t, client)
	return client
}
