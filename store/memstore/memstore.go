// Package memstore is the store of a single process: it keeps jobs in memory and
// loses them when the process ends.
//
// It is bounded (see [WithMaxFinished] and [WithMaxBytes]), starts no goroutine and
// needs no Close. Finished jobs expire without a timer: each call that adds or
// ends a job also removes a few whose time is over, Reclaim removes all of them,
// and one that is still there is never shown.
package memstore

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

var (
	_ store.Store = (*Store)(nil)
	_ store.Local = (*Store)(nil)
)

// partition starts the ids of all jobs: a memory store has one partition.
const partition = 'm'

// Store implements store.Store in memory. It is safe for concurrent use and must
// not be copied. Make one with New.
//
// A record is in exactly one place at a time, which follows from its state: the
// line or the schedule of its queue, the held jobs of a session, or a shelf of the
// archive. Only move takes it from one place to the next.
type Store struct {
	birth       time.Time
	maxBytes    int64
	maxFinished int
	cursorTag   string // tells the cursors of this store from those of another

	ids sync.Pool // of *store.IDSource

	mu       sync.Mutex
	lastSeq  uint64
	jobs     *index
	keys     map[string]*record
	owners   map[string]*ledger
	queues   map[string]*queue
	archive  archive
	spare    spare
	watches  watches
	counts   counts
	bytes    int64 // requests, envelopes and results of all jobs
	sessions []*session
	// lastSession numbers sessions. Records name the session that settled them by
	// number: a pointer would keep it in memory.
	lastSession uint64
}

// New returns an empty store with the given options.
func New(opts ...Option) *Store {
	jobs := newIndex()
	s := &Store{
		birth:       time.Now(),
		ids:         sync.Pool{New: func() any { return new(store.IDSource) }},
		maxBytes:    defaultMaxBytes,
		maxFinished: defaultMaxFinished,
		cursorTag:   store.NewID(partition),
		jobs:        jobs,
		keys:        make(map[string]*record),
		owners:      make(map[string]*ledger),
		queues:      make(map[string]*queue),
		archive:     newArchive(jobs),
		watches:     make(watches),
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// Local implements store.Local: it is true.
func (s *Store) Local() bool { return true }

// Get implements store.Jobs.
func (s *Store) Get(ctx context.Context, id string) (store.Job, error) {
	if err := ctx.Err(); err != nil {
		return store.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id, s.now())
	if r == nil {
		return store.Job{}, store.ErrNotFound
	}
	return r.view(), nil
}

// Result implements store.Jobs.
func (s *Store) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	if err := ctx.Err(); err != nil {
		return store.Job{}, nil, err
	}
	job, data, err := s.result(id)
	return job, bytes.Clone(data), err
}

// result returns the stored bytes themselves: they never change, so the caller
// copies them without holding the lock.
func (s *Store) result(id string) (store.Job, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id, s.now())
	if r == nil {
		return store.Job{}, nil, store.ErrNotFound
	}
	return r.view(), r.result, nil
}

// Stats implements store.Jobs.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	if err := s.removeExpired(ctx); err != nil {
		return store.Stats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := store.Stats{
		Queued: s.counts.queued, Scheduled: s.counts.scheduled,
		InProgress: s.counts.inProgress, Finished: s.counts.finished,
	}
	now := s.now()
	for _, session := range s.sessions {
		if session.live(now) {
			stats.Sessions++
		}
	}
	return stats, nil
}

// find returns the record of id, or nil. A job whose retention is over is removed
// on the way.
func (s *Store) find(id string, now moment) *record {
	r := s.jobs.get(id)
	if r != nil && r.expired(now) {
		s.remove(r)
		return nil
	}
	return r
}
