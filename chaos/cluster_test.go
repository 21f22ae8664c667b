package chaos_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

// partitions are the first letters of the ids, by partition, that these tests use.
const partitions = "abcdef"

// prefixes are how the keys of each partition of an application begin: one of a job tells
// that of its partition.
func prefixes(t *testing.T, application string, servers ...*redistest.Server) map[rune]string {
	t.Helper()
	found := make(map[rune]string)
	for _, server := range servers {
		keys, err := impatient(t, server.Addr()).Keys(t.Context(), application+":*:job:*").Result()
		require.NoError(t, err)
		for _, key := range keys {
			prefix, id, _ := strings.Cut(key, ":job:")
			found[rune(id[0])] = prefix
		}
	}
	return found
}

func TestCluster(t *testing.T) {
	t.Parallel()
	awaitDialers(t)
	cluster := redistest.StartCluster(t, 3)
	t.Run("partitions are spread over the masters", func(t *testing.T) {
		jobs := redisstore.New(cluster.Client(t), redisstore.WithPrefix("spread"), redisstore.WithPartitions(len(partitions)))
		for range partitions {
			_, _, err := jobs.Create(t.Context(), store.NewJob{Route: "r", Queue: "q"})
			require.NoError(t, err)
		}
		owned := owners(t, cluster, prefixes(t, "spread", cluster.Nodes()...))
		t.Logf("masters and their partitions: %v", owned)
		require.Len(t, owned, 3)
		for _, own := range owned {
			require.Len(t, own, len(partitions)/3)
		}
	})
	t.Run("the conformance suite passes", func(t *testing.T) {
		client := cluster.Client(t)
		storetest.Run(t, func(*testing.T) store.Store {
			return redisstore.New(client, redisstore.WithPrefix("test:"+store.NewID('a')))
		})
	})
	t.Run("a master is killed under load", func(t *testing.T) {
		e := elect(t, cluster, (*redistest.Server).Kill)
		e.mustResumeEach(t, e.affected, e.over, resumption)
		for _, p := range e.unaffected() {
			e.mustGoOn(t, p)
		}
	})
}

// A call to a master that hangs takes the 5 s that it may, also when another master was
// elected meanwhile; and so may the client, when it asks that one who is master now.
func TestClusterWithAMasterThatHangs(t *testing.T) {
	if !inLongForm() {
		t.Skip("only in the long form")
	}
	t.Parallel()
	awaitDialers(t)
	e := elect(t, redistest.StartCluster(t, 3), (*redistest.Server).Pause)
	e.mustResumeEach(t, e.affected, e.over, 15*time.Second)
	for _, p := range e.unaffected() {
		e.mustGoOn(t, p)
	}
}

// election is what happened when a master was lost: the outage ends when the new one
// takes writes.
type election struct {
	outage
	affected string // partitions
	over     records
}

// elect loses a master under load.
func elect(t *testing.T, cluster *redistest.Cluster, lose func(*redistest.Server)) election {
	t.Helper()
	l := newLedger()
	s := openSite(t, cluster.Client(t), l, len(partitions))
	openSite(t, cluster.Client(t), l, len(partitions))
	stop := s.load(t)
	busyFor(t, l, 300)

	keys := prefixes(t, "ginasync", cluster.Nodes()...)
	victim := cluster.Master(t, keys['a'])
	e := election{affected: owners(t, cluster, keys)[victim.Addr()]}
	lose(victim)
	e.began = time.Now()
	probe(t, slices.DeleteFunc(cluster.Nodes(), func(n *redistest.Server) bool { return n == victim }), keys, e.affected)
	e.ended = time.Now()
	mustRunIn(t, l, e.affected, e.ended)
	stop()

	e.over = finishKept(t, l, cluster.Client(t), keys)
	t.Logf("the election took %v; partitions affected: %s", e.outage, e.affected)
	l.mustHaveResults(t, s, e.over)
	l.mustRefuseWell(t, 0)
	return e
}

// unaffected are the partitions of other masters.
func (e election) unaffected() (rest []rune) {
	for _, p := range partitions {
		if !strings.ContainsRune(e.affected, p) {
			rest = append(rest, p)
		}
	}
	return rest
}

// owners returns the addresses of the masters with the partitions of each.
func owners(t *testing.T, cluster *redistest.Cluster, keys map[rune]string) map[string]string {
	t.Helper()
	owned := make(map[string]string)
	for _, p := range partitions {
		owned[cluster.Master(t, keys[p]).Addr()] += string(p)
	}
	return owned
}

// probe returns when a client of its own can write to the partitions: one that asks each
// server, for who is not the master says so.
func probe(t *testing.T, servers []*redistest.Server, keys map[rune]string, affected string) {
	t.Helper()
	var clients []*redis.Client
	for _, server := range servers {
		clients = append(clients, impatient(t, server.Addr()))
	}
	for _, p := range affected {
		waitFor(t, func() error {
			var err error
			for _, client := range clients {
				if err = client.Set(t.Context(), keys[p]+":probe", 1, time.Minute).Err(); err == nil {
					return nil
				}
			}
			return fmt.Errorf("partition %c: %w", p, err)
		})
	}
}

// impatient is a client that tries once.
func impatient(t *testing.T, addr string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1, ReadTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// mustRunIn waits until in each of the partitions some jobs have run after since.
func mustRunIn(t *testing.T, l *ledger, affected string, since time.Time) {
	t.Helper()
	for _, p := range affected {
		waitFor(t, func() error {
			if n := l.ranSince(since, in(p)); n < 10 {
				return fmt.Errorf("%d jobs of partition %c have run", n, p)
			}
			return nil
		})
	}
}

// finishKept waits until all accepted jobs are over that Redis has kept: what a master
// had not yet told its replica is lost with it.
func finishKept(t *testing.T, l *ledger, client redis.UniversalClient, keys map[rune]string) records {
	t.Helper()
	accepted := l.ids()
	var kept []string
	for _, id := range accepted {
		n, err := client.Exists(t.Context(), keys[rune(id[0])]+":job:"+id).Result()
		require.NoError(t, err)
		if n == 1 {
			kept = append(kept, id)
		}
	}
	t.Logf("Redis lost %d of %d accepted jobs", len(accepted)-len(kept), len(accepted))
	// A master without its replica may lose what it took in the last moment, no more.
	assert.Greater(t, len(kept), len(accepted)*9/10)
	return l.mustFinish(t, redisstore.New(client, redisstore.WithPartitions(len(partitions))), kept)
}

// mustResumeEach asserts that after an outage a job of each of the partitions was
// finished soon.
func (o outage) mustResumeEach(t *testing.T, affected string, over records, within time.Duration) {
	t.Helper()
	within = onThisMachine(t, within)
	for _, p := range affected {
		first := over.firstFinished(o.ended, in(p))
		if assert.False(t, first.IsZero(), "partition %c: no job was finished after the election", p) {
			t.Logf("partition %c: the first job was finished %v after the election", p, first.Sub(o.ended).Round(time.Millisecond))
			assert.Less(t, first.Sub(o.ended), within)
		}
	}
}

// mustGoOn asserts that a partition did not wait for others.
func (e election) mustGoOn(t *testing.T, p rune) {
	t.Helper()
	n, longest, last := 0, time.Duration(0), e.began
	for next := range e.over.finishedBetween(e.began, e.ended, in(p)) {
		n++
		longest, last = max(longest, next.Sub(last)), next
	}
	longest = max(longest, e.ended.Sub(last))
	t.Logf("partition %c: %d jobs finished during the election, at most %v passed without one", p, n, longest.Round(time.Millisecond))
	assert.Positive(t, n, "jobs of partition %c during the election", p)
}

// in tells the jobs of a partition.
func in(partition rune) func(id string) bool {
	return func(id string) bool { return rune(id[0]) == partition }
}
