package ginasync

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneJob is a store of one job, whose hints are sent or lost as a test wants it.
type oneJob struct {
	store.Jobs
	mu       sync.Mutex
	version  int64
	removed  bool
	deaf     bool // no subscription
	down     bool // no reading
	hints    map[chan struct{}]struct{}
	watches  int
	gets     int
	getting  func() // called in Get, after the job was read
	watching func() // called in Watch, before the subscription is there
}

var errDown = errors.New("store is down")

func (s *oneJob) Watch(ctx context.Context, _ string) (<-chan struct{}, error) {
	if s.watching != nil {
		s.watching()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches++
	if s.deaf {
		return make(chan struct{}), errDown
	}
	c := make(chan struct{}, 1)
	if s.hints == nil {
		s.hints = make(map[chan struct{}]struct{})
	}
	s.hints[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hints, c)
	})
	return c, nil
}

func (s *oneJob) Get(context.Context, string) (Job, error) {
	s.mu.Lock()
	job, removed, down := Job{ID: "x", Version: s.version}, s.removed, s.down
	s.gets++
	s.mu.Unlock()
	if s.getting != nil {
		s.getting()
	}
	switch {
	case down:
		return Job{}, errDown
	case removed:
		return Job{}, store.ErrNotFound
	}
	return job, nil
}

// change makes the job newer, and gives hints of it unless they are to be lost.
func (s *oneJob) change(lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if lost {
		return
	}
	for c := range s.hints {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// subscriptions is how many there are at the moment.
func (s *oneJob) subscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hints)
}

func (s *oneJob) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// seen is what a watcher was told.
type seen struct {
	version int64
	err     error
	after   time.Duration
}

// follow joins and waits for a state newer than version, as a request does.
func follow(ctx context.Context, w *watching, ended <-chan struct{}, version int64) <-chan seen {
	got := make(chan seen, 1)
	start := time.Now()
	go func() {
		j, err := w.join(ctx, "x")
		if err != nil {
			got <- seen{err: err}
			return
		}
		defer w.part(j)
		job, err := j.next(ctx, ended, version)
		got <- seen{job.Version, err, time.Since(start)}
	}()
	return got
}

func TestWatching(t *testing.T) {
	in := func(name string, test func(t *testing.T, s *oneJob, w *watching)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &oneJob{version: 1}
				w := newWatching(s, 3)
				test(t, s, w)
				synctest.Wait()
				assert.Zero(t, s.subscriptions(), "nobody watches any more")
				assert.Empty(t, w.watched)
			})
		})
	}

	in("tells all watchers of a job with one subscription and one look", func(t *testing.T, s *oneJob, w *watching) {
		var all []<-chan seen
		for range 100 {
			all = append(all, follow(t.Context(), w, nil, 1))
		}
		synctest.Wait()
		assert.Equal(t, 1, s.subscriptions())
		s.change(false)
		for _, got := range all {
			assert.Equal(t, seen{version: 2}, <-got)
		}
		assert.Equal(t, 1, s.watches)
		assert.Equal(t, 1, s.gets)
	})

	in("sees a change whose hint was lost within seconds", func(t *testing.T, s *oneJob, w *watching) {
		got := follow(t.Context(), w, nil, 1)
		synctest.Wait()
		s.change(true)
		told := <-got
		assert.EqualValues(t, 2, told.version)
		assert.LessOrEqual(t, told.after, lookAgain)
	})

	in("hears of what changes once join is back", func(t *testing.T, s *oneJob, w *watching) {
		s.watching = func() { time.Sleep(time.Second) } // a subscription takes its time
		j, err := w.join(t.Context(), "x")
		require.NoError(t, err)
		defer w.part(j)
		start := time.Now()
		s.change(false)
		job, err := j.next(t.Context(), nil, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 2, job.Version)
		assert.Zero(t, time.Since(start), "it was a hint and not the clock")
	})

	in("hears of what changes while the job is read", func(t *testing.T, s *oneJob, w *watching) {
		s.getting = sync.OnceFunc(func() { s.change(false) })
		j, err := w.join(t.Context(), "x")
		require.NoError(t, err)
		defer w.part(j)
		job, err := s.Get(t.Context(), "x") // changes right after it was read
		require.NoError(t, err)
		start := time.Now()
		job, err = j.next(t.Context(), nil, job.Version)
		require.NoError(t, err)
		assert.EqualValues(t, 2, job.Version)
		assert.Zero(t, time.Since(start))
	})

	in("tells a slow watcher the newest state alone", func(t *testing.T, s *oneJob, w *watching) {
		j, err := w.join(t.Context(), "x")
		require.NoError(t, err)
		defer w.part(j)
		for range 10 {
			s.change(false)
			synctest.Wait()
		}
		job, err := j.next(t.Context(), nil, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 11, job.Version)
	})

	in("goes on without a subscription, and subscribes when it can", func(t *testing.T, s *oneJob, w *watching) {
		s.deaf = true
		got := follow(t.Context(), w, nil, 2)
		synctest.Wait()
		s.change(false)
		time.Sleep(2 * lookAgain)
		assert.Empty(t, got)
		s.set(func() { s.deaf = false })
		time.Sleep(lookAgain)
		assert.Equal(t, 1, s.subscriptions())
		s.change(false)
		assert.EqualValues(t, 3, (<-got).version)
	})

	in("goes on when the store is away for a while", func(t *testing.T, s *oneJob, w *watching) {
		got := follow(t.Context(), w, nil, 1)
		synctest.Wait()
		s.set(func() { s.down = true })
		s.change(false)
		time.Sleep(time.Minute)
		assert.Empty(t, got)
		s.set(func() { s.down = false })
		assert.EqualValues(t, 2, (<-got).version)
	})

	in("tells of a removed job", func(t *testing.T, s *oneJob, w *watching) {
		got := follow(t.Context(), w, nil, 1)
		synctest.Wait()
		s.set(func() { s.removed = true })
		s.change(false)
		assert.ErrorIs(t, (<-got).err, store.ErrNotFound)
	})

	in("ends with its context, and with the server", func(t *testing.T, _ *oneJob, w *watching) {
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan struct{})
		one, other := follow(ctx, w, nil, 1), follow(t.Context(), w, ended, 1)
		synctest.Wait()
		cancel(errTimeUp)
		assert.ErrorIs(t, (<-one).err, errTimeUp)
		assert.Empty(t, other, "the first one's end is its own")
		close(ended)
		assert.ErrorIs(t, (<-other).err, errEnding)
	})

	in("lets nobody wait for a subscription longer than they want", func(t *testing.T, s *oneJob, w *watching) {
		subscribed := make(chan struct{})
		s.watching = func() { <-subscribed }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, (<-follow(ctx, w, nil, 1)).err, context.DeadlineExceeded)
		close(subscribed)
	})

	in("has a bounded number of places", func(t *testing.T, _ *oneJob, w *watching) {
		for range 3 {
			require.True(t, w.enter())
		}
		assert.False(t, w.enter())
		w.exit()
		assert.True(t, w.enter())
	})

	t.Run("spreads its looks, and never is late", func(t *testing.T) {
		for range 100 {
			assert.InDelta(t, 0.9*lookAgain.Seconds(), untilLook().Seconds(), 0.1*lookAgain.Seconds())
		}
	})
}
