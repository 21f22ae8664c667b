package storetest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// unfenced lets whoever names a job settle it: it looks up the holder and writes
// in its name.
func unfenced() store.Store {
	holders := &holders{of: map[string]holder{}}
	return wrapped{memstore.New(), func(s store.Session) store.Session {
		return unfencedSession{s, holders}
	}}
}

type holders struct {
	mu sync.Mutex
	of map[string]holder
}

type holder struct {
	session store.Session
	ref     store.Ref
}

type unfencedSession struct {
	store.Session
	holders *holders
}

func (s unfencedSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	s.holders.mu.Lock()
	defer s.holders.mu.Unlock()
	for _, c := range batch.Claims {
		s.holders.of[c.Ref.ID] = holder{s.Session, c.Ref}
	}
	return batch, err
}

func (s unfencedSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	state, err := s.Session.Settle(ctx, ref, outcome)
	if !errors.Is(err, store.ErrLeaseLost) {
		return state, err
	}
	s.holders.mu.Lock()
	defer s.holders.mu.Unlock()
	if h, ok := s.holders.of[ref.ID]; ok {
		return h.session.Settle(ctx, h.ref, outcome)
	}
	return state, err
}

// aliasing hands out the very slices it was given.
func aliasing() store.Store {
	return &aliasingStore{Store: memstore.New(), requests: map[string][]byte{}, results: map[string][]byte{}}
}

type aliasingStore struct {
	store.Store
	mu                sync.Mutex
	requests, results map[string][]byte
}

func (s *aliasingStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	created, isNew, err := s.Store.Create(ctx, job)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[created.ID] = job.Request
	return created, isNew, err
}

func (s *aliasingStore) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	got, _, err := s.Store.Result(ctx, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return got, s.results[id], err
}

func (s *aliasingStore) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := s.Store.Join(ctx, worker, lease)
	return aliasingSession{session, s}, err
}

type aliasingSession struct {
	store.Session
	kept *aliasingStore
}

func (s aliasingSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	for i := range batch.Claims {
		batch.Claims[i].Request = s.kept.requests[batch.Claims[i].Ref.ID]
	}
	return batch, err
}

func (s aliasingSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if result := outcome.Result(); result != nil {
		s.kept.mu.Lock()
		s.kept.results[ref.ID] = result.Data
		s.kept.mu.Unlock()
	}
	return s.Session.Settle(ctx, ref, outcome)
}

// deaf hears the first arrival and loses all later ones.
func deaf() store.Store {
	return wrapped{memstore.New(), func(s store.Session) store.Session { return &deafSession{Session: s} }}
}

type deafSession struct {
	store.Session
	claimed bool
}

func (s *deafSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	s.claimed = s.claimed || len(batch.Claims) > 0
	return batch, err
}

func (s *deafSession) Arrived() <-chan struct{} {
	if s.claimed {
		return nil
	}
	return s.Session.Arrived()
}

// overwrittenCancel tells the caller that a running job will end canceled, and
// forgets it: a late completion stands.
func overwrittenCancel() store.Store { return forgetful{memstore.New()} }

type forgetful struct{ store.Store }

func (s forgetful) Cancel(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Get(ctx, id)
	if err != nil || job.State != store.InProgress {
		return s.Store.Cancel(ctx, id)
	}
	job.CancelRequestedAt = job.StartedAt
	job.Version++
	return job, nil
}

// doubleClaim hands out every job twice: the second time to the next who asks.
func doubleClaim() store.Store {
	twice := &twice{}
	return wrapped{memstore.New(), func(s store.Session) store.Session {
		return doubleSession{s, twice}
	}}
}

type twice struct {
	mu     sync.Mutex
	claims []store.Claim
}

type doubleSession struct {
	store.Session
	twice *twice
}

func (s doubleSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	s.twice.mu.Lock()
	defer s.twice.mu.Unlock()
	batch, err := s.Session.Claim(ctx, want)
	again := s.twice.claims
	s.twice.claims = batch.Claims
	batch.Claims = append(again[:len(again):len(again)], batch.Claims...)
	return batch, err
}

// frozenVersion never raises the version of a job.
func frozenVersion() store.Store {
	return wrapped{frozen{memstore.New()}, func(s store.Session) store.Session { return frozenSession{s} }}
}

type frozen struct{ store.Store }

func (s frozen) Get(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Store.Get(ctx, id)
	job.Version = 1
	return job, err
}

type frozenSession struct{ store.Session }

func (s frozenSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	for i := range batch.Claims {
		batch.Claims[i].Job.Version = 1
	}
	return batch, err
}

// checkedBound looks at the bound first and stores the job afterwards.
func checkedBound() store.Store { return racy{memstore.New()} }

type racy struct{ store.Store }

func (s racy) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	stats, err := s.Stats(ctx)
	if err != nil {
		return store.Job{}, false, err
	}
	if job.MaxWaiting > 0 && stats.Queued+stats.Scheduled >= job.MaxWaiting {
		return store.Job{}, false, store.ErrFull
	}
	bound := job.MaxWaiting
	job.MaxWaiting = 0
	if bound > 0 {
		<-time.After(time.Millisecond) // long enough for another to come between
	}
	return s.Store.Create(ctx, job)
}

// settledTwice does not know its own settlement again.
func settledTwice() store.Store {
	return wrapped{memstore.New(), func(s store.Session) store.Session {
		return &onceSession{Session: s, settled: map[store.Ref]bool{}}
	}}
}

type onceSession struct {
	store.Session
	mu      sync.Mutex
	settled map[store.Ref]bool
}

func (s *onceSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled[ref] {
		return "", store.ErrLeaseLost
	}
	s.settled[ref] = true
	return s.Session.Settle(ctx, ref, outcome)
}

// blindWatch never tells of a change.
func blindWatch() store.Store { return blind{memstore.New()} }

type blind struct{ store.Store }

func (blind) Watch(context.Context, string) (<-chan struct{}, error) {
	return make(chan struct{}), nil
}

// looseCursor starts over when it does not know a cursor.
func looseCursor() store.Store { return loose{memstore.New()} }

type loose struct{ store.Store }

func (s loose) List(ctx context.Context, query store.Query) (store.Page, error) {
	page, err := s.Store.List(ctx, query)
	if errors.Is(err, store.ErrBadCursor) {
		query.Cursor = ""
		return s.Store.List(ctx, query)
	}
	return page, err
}

// uncountedRecovery gives the jobs of a dead session back as if it had left.
func uncountedRecovery() store.Store {
	s := &lenient{Store: memstore.New()}
	return wrapped{s, func(session store.Session) store.Session {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions = append(s.sessions, session)
		return session
	}}
}

type lenient struct {
	store.Store
	mu       sync.Mutex
	sessions []store.Session
}

func (s *lenient) Reclaim(ctx context.Context, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := 0
	for _, session := range s.sessions {
		if _, err := session.Claim(ctx, nil); !errors.Is(err, store.ErrLeaseLost) {
			continue
		}
		if renewal, err := session.Renew(ctx); err == nil {
			taken += len(renewal.Held)
		}
		if err := session.Leave(ctx); err != nil {
			return taken, err
		}
	}
	return min(taken, limit), nil
}
