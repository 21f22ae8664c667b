package ginasync

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
)

var (
	// errTooManyWatchers refuses to wait: as many requests as allowed do already.
	errTooManyWatchers = errors.New("ginasync: too many requests watch jobs")
	// errEnding ends a wait because the server shuts down.
	errEnding = errors.New("ginasync: server is shutting down")
)

// lookAgain is how often a watched job is read without a hint: hints may be lost on
// their way.
const lookAgain = 5 * time.Second

// watching is where requests wait for changes of jobs. A job that is watched costs one
// subscription of the store and one goroutine, however many watch it; a change is read
// once for all of them.
type watching struct {
	jobs store.Jobs
	most int // watchers at once

	mu       sync.Mutex
	watchers int
	left     chan struct{} // closed when the last watcher exits; nil: nobody waits for that
	watched  map[string]*watchedJob
}

func newWatching(jobs store.Jobs, most int) *watching {
	return &watching{jobs: jobs, most: most, watched: make(map[string]*watchedJob)}
}

// enter takes a watcher's place, to be given back with exit; false: there is none.
func (w *watching) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watchers >= w.most {
		return false
	}
	w.watchers++
	return true
}

func (w *watching) exit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchers--
	if w.watchers == 0 && w.left != nil {
		close(w.left)
		w.left = nil
	}
}

// none returns a channel that is closed as soon as nobody has a watcher's place.
func (w *watching) none() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == nil {
		w.left = make(chan struct{})
	}
	left := w.left
	if w.watchers == 0 {
		close(w.left)
		w.left = nil
	}
	return left
}

// join begins to watch a job, until part. When it returns nil, no change from then on
// is missed: read the job after it, not before. An error is why ctx is done; the
// caller has not joined then.
func (w *watching) join(ctx context.Context, id string) (*watchedJob, error) {
	w.mu.Lock()
	j := w.watched[id]
	if j == nil {
		j = &watchedJob{id: id, ready: make(chan struct{}), changed: make(chan struct{})}
		// The first watcher may go before the others do.
		var own context.Context
		own, j.stop = context.WithCancel(context.WithoutCancel(ctx))
		w.watched[id] = j
		go j.watch(own, w.jobs)
	}
	j.watchers++
	w.mu.Unlock()

	select {
	case <-j.ready:
		return j, nil
	case <-ctx.Done():
		w.part(j)
		return nil, context.Cause(ctx)
	}
}

// part ends what join began.
func (w *watching) part(j *watchedJob) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j.watchers--; j.watchers == 0 {
		delete(w.watched, j.id)
		j.stop()
	}
}

// watchedJob is a job that somebody watches.
type watchedJob struct {
	id       string
	watchers int                // guarded by watching.mu
	stop     context.CancelFunc // ends watch
	ready    chan struct{}      // closed when hints are heard

	mu      sync.Mutex
	seen    Job           // the newest state that was read after a hint
	event   []byte        // seen as an event; nil: nobody has asked
	gone    bool          // the job was removed
	changed chan struct{} // closed when one of them changes, and replaced
}

// watch reads the job when it has changed, until ctx is done. When the store does not
// let it subscribe it tries again, and reads the job unasked meanwhile.
func (j *watchedJob) watch(ctx context.Context, jobs store.Jobs) {
	hints := j.subscribe(ctx, jobs)
	close(j.ready)
	timer := time.NewTimer(untilLook())
	defer timer.Stop()
	for {
		select {
		case <-hints:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if hints == nil {
			hints = j.subscribe(ctx, jobs) // before the look, so that none is lost
		}
		j.look(ctx, jobs)
		timer.Reset(untilLook())
	}
}

func (j *watchedJob) subscribe(ctx context.Context, jobs store.Jobs) <-chan struct{} {
	hints, err := jobs.Watch(ctx, j.id)
	if err != nil {
		return nil
	}
	return hints
}

// look reads the job and shows it to all who wait. An error of the store is no news:
// the next look may go better.
func (j *watchedJob) look(ctx context.Context, jobs store.Jobs) {
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	job, err := jobs.Get(ctx, j.id)
	gone := errors.Is(err, store.ErrNotFound)
	if err != nil && !gone {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if gone == j.gone && job.Version <= j.seen.Version {
		return
	}
	j.gone = gone
	if !gone {
		j.seen, j.event = job, nil
	}
	close(j.changed)
	j.changed = make(chan struct{})
}

// next waits for a state of the job that is newer than version; of several, it is the
// newest. Errors: store.ErrNotFound when the job was removed, errEnding when ended is
// closed, else why ctx is done.
func (j *watchedJob) next(ctx context.Context, ended <-chan struct{}, version int64) (Job, error) {
	if err := j.wait(ctx, ended, version); err != nil {
		return Job{}, err
	}
	return j.latest(), nil
}

// wait is next without the state. A Job is large: who waits long does not keep one on
// the stack.
func (j *watchedJob) wait(ctx context.Context, ended <-chan struct{}, version int64) error {
	for {
		changed, newer, gone := j.news(version)
		switch {
		case gone:
			return store.ErrNotFound
		case newer:
			return nil
		}
		select {
		case <-changed:
		case <-ended:
			return errEnding
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// news tells what there is beyond version; changed is closed when there is more.
func (j *watchedJob) news(version int64) (changed <-chan struct{}, newer, gone bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed, j.seen.Version > version, j.gone
}

// latest is the newest state that was read after a hint.
func (j *watchedJob) latest() Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen
}

// told is latest as an event, which is made by the first who asks.
func (j *watchedJob) told(encode func(Job) []byte) (event []byte, version int64, isOver bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.event == nil {
		j.event = encode(j.seen)
	}
	return j.event, j.seen.Version, over(j.seen)
}

// untilLook spreads the looks of many jobs by a fifth.
func untilLook() time.Duration {
	return lookAgain - rand.N(lookAgain/5)
}
