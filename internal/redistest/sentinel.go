package redistest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	sentinels  = 3
	masterName = "mymaster"
)

// Sentinel is a master and a replica under three Sentinels. Its methods are safe for
// concurrent use.
type Sentinel struct {
	master, replica *Server
	watchers        []*Server
}

// StartSentinel runs a master, its replica and three Sentinels until t ends and returns
// when all know each other, so that a failover can begin. A master counts as failed after
// 1 s of silence. The lines of config go to the master and the replica, as for [Start].
func StartSentinel(t testing.TB, config ...string) *Sentinel {
	t.Helper()
	lines := append([]string{"repl-diskless-sync-delay 0"}, config...)
	s := &Sentinel{master: Start(t, lines...)}
	password := s.master.password()
	if password != "" {
		lines = append(lines, "masterauth "+password)
	}
	s.replica = Start(t, append(lines, fmt.Sprintf("replicaof 127.0.0.1 %d", s.master.port.number))...)
	// A Sentinel that finds no replica at once looks again after 10 s.
	for _, server := range []*Server{s.master, s.replica} {
		await(t, func() error { return server.notReplicating(t.Context()) })
	}
	monitor := []string{
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d", masterName, s.master.port.number, sentinels/2+1),
		"sentinel down-after-milliseconds " + masterName + " 1000",
		"sentinel failover-timeout " + masterName + " 5000", // an election without winner is repeated after twice that
	}
	if password != "" {
		monitor = append(monitor, "sentinel auth-pass "+masterName+" "+password)
	}
	for range sentinels {
		watcher := prepare(t, sentinel, monitor...)
		watcher.run(t)
		s.watchers = append(s.watchers, watcher)
	}
	for _, watcher := range s.watchers {
		watcher.awaitReady(t)
		await(t, func() error { return watcher.notWatching(t.Context()) })
	}
	return s
}

// notWatching returns what keeps a Sentinel from taking part in a failover, or nil.
func (s *Server) notWatching(ctx context.Context) error {
	master := redis.NewMapStringStringCmd(ctx, "SENTINEL", "MASTER", masterName)
	list := redis.NewMapStringStringSliceCmd(ctx, "SENTINEL", "REPLICAS", masterName)
	err := s.ask(ctx, func(ctx context.Context, client *redis.Client) error {
		return errors.Join(client.Process(ctx, master), client.Process(ctx, list))
	})
	state, replicas := master.Val(), list.Val()
	switch {
	case err != nil:
		return err
	case state["flags"] != "master" || state["num-other-sentinels"] != fmt.Sprint(sentinels-1):
		return fmt.Errorf("the Sentinel at %s does not know all: %v", s.Addr(), state)
	case len(replicas) != 1 || replicas[0]["flags"] != "slave" || replicas[0]["master-link-status"] != "ok":
		return fmt.Errorf("the Sentinel at %s does not know the replica: %v", s.Addr(), replicas)
	}
	return nil
}

// Addrs returns host:port of each Sentinel.
func (s *Sentinel) Addrs() []string {
	addrs := make([]string, 0, len(s.watchers))
	for _, watcher := range s.watchers {
		addrs = append(addrs, watcher.Addr())
	}
	return addrs
}

// Name returns the name under which the Sentinels know the master.
func (s *Sentinel) Name() string { return masterName }

// Master returns the server that was the master first. A failover does not change that.
func (s *Sentinel) Master() *Server { return s.master }

// Replica returns the server that was the replica first, and is the master after a
// failover.
func (s *Sentinel) Replica() *Server { return s.replica }

// Client returns a client of the present master that is closed when t ends. It respects
// the deadlines of contexts and is otherwise what a user makes.
func (s *Sentinel) Client(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            masterName,
		SentinelAddrs:         s.Addrs(),
		Password:              s.master.password(),
		ContextTimeoutEnabled: true,
	})
	closeWith(t, client)
	return client
}
