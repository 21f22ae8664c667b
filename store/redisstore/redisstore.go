package redisstore

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/store"
)

var (
	_ store.Store      = (*Store)(nil)
	_ store.Configured = (*Store)(nil)
	_ store.Advisor    = (*Store)(nil)
)

// Store implements store.Store in Redis. It is safe for concurrent use. Make one with
// New.
//
// It owns no goroutine of its own for long: those that send grouped writes end when
// nothing waits, one that looks whether a server is back within a second, the one that
// keeps watches noted with the last watch, and the connection that receives hints is closed
// with the last session and the last watch. So there is nothing to close but the client, by
// whoever made it.
type Store struct {
	client   redis.UniversalClient
	locks    *redislock.Client
	scripts  scripts
	hub      *hub
	watches  *watches
	prefix   string
	own      int // partitions that get new jobs
	mistakes []error
	err      error // mistakes, joined

	replicas       int
	replicaTimeout time.Duration

	partitions [len(letters)]partition
	// served is how many partitions are read: own, or more when there are others.
	served atomic.Int32
	turn   atomic.Uint32 // spreads jobs over the partitions
	// detached: the client does not heed the deadline of a context.
	detached bool
	cluster  reloader
}

// New returns a store that keeps its jobs by client: a *redis.Client, for a single
// server or Sentinel, or a *redis.ClusterClient. It does not connect yet. The client
// stays the caller's, to be closed after the store was last used; it should be made
// with ContextTimeoutEnabled, otherwise a call that meets its deadline leaves a
// goroutine behind for as long as the client's own timeouts and retries take.
//
// A mistake in the options is returned by Err and by all calls.
func New(client redis.UniversalClient, opts ...Option) *Store {
	s := &Store{client: client, prefix: defaultPrefix, own: 1}
	for _, opt := range opts {
		opt(s)
	}
	s.checkClient()
	var err error
	if s.scripts, err = steps(); err != nil {
		s.mistakes = append(s.mistakes, err)
	}
	for i := range s.partitions {
		s.partitions[i].open(s, letters[i])
	}
	if s.err = errors.Join(s.mistakes...); s.err != nil {
		return s
	}
	s.locks = redislock.New(client)
	s.hub = newHub(client)
	s.watches = newWatches(s.hub)
	s.detached = !heedsDeadlines(client)
	s.cluster, _ = client.(reloader)
	s.served.Store(int32(s.own))
	return s
}

// checkClient refuses clients with which the store would not keep its promises.
func (s *Store) checkClient() {
	var readTimeout time.Duration
	switch c := s.client.(type) {
	case *redis.Client:
		if c != nil {
			readTimeout = c.Options().ReadTimeout
			break
		}
		s.mistake("New: the client is nil: make one with redis.NewClient")
	case *redis.ClusterClient:
		if c == nil {
			s.mistake("New: the client is nil: make one with redis.NewClusterClient")
			break
		}
		readTimeout = c.Options().ReadTimeout
		if o := c.Options(); o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			s.mistake("New: a client that reads from replicas sees jobs late: " +
				"leave out ReadOnly, RouteByLatency and RouteRandomly")
		}
	case *redis.Ring:
		s.mistake("New: a Ring does not say where a job is when a server is away: use Sentinel or Cluster")
	case nil:
		s.mistake("New: the client is nil: make one with redis.NewClient")
	}
	if s.replicas > 0 && readTimeout > 0 && s.replicaTimeout >= readTimeout {
		s.mistake("WithReplicas: the timeout of %v has to be below the client's ReadTimeout of %v", s.replicaTimeout, readTimeout)
	}
}

// Err returns every mistake in the options, joined.
func (s *Store) Err() error { return s.err }
