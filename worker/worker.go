package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

// Worker runs the jobs of a store. Make it with [New]. All methods are safe for
// concurrent use.
type Worker struct {
	cfg  Config
	log  *slog.Logger
	crew *crew
	// overtime watches the attempts of the crew.
	overtime overtime
	// callTimeout bounds each call of the store, except Renew.
	callTimeout time.Duration

	stopping chan struct{} // closed: claim no more
	hurry    chan struct{} // closed: the grace period is over
	done     chan struct{} // closed: nothing is left; err is set
	err      error

	mu          sync.Mutex
	started     bool
	stopped     bool
	hurried     bool
	stopJoining context.CancelFunc
}

// New makes a worker that does nothing yet. It returns every mistake in cfg,
// joined in one error.
func New(cfg Config) (*Worker, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		cfg:         cfg,
		log:         cfg.Logger.With("worker", cfg.Name),
		crew:        newCrew(cfg.Queues),
		callTimeout: min(max(cfg.Lease/3, time.Second), 5*time.Second),
		stopping:    make(chan struct{}),
		hurry:       make(chan struct{}),
		done:        make(chan struct{}),
	}
	w.overtime.init(w.lookAtAll)
	return w, nil
}

// Start begins to run jobs and returns at once. Handlers see the values of ctx;
// its end stops nothing, only Shutdown does. A store that cannot be reached is no
// error: joining it is retried and logged. Errors: Start or Shutdown was called
// before.
func (w *Worker) Start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return errStopped
	}
	if w.started {
		return errStarted
	}
	w.started = true
	base := context.WithoutCancel(ctx)
	joining, stopJoining := context.WithCancel(base)
	w.stopJoining = stopJoining
	go w.attendStore(base, joining)
	return nil
}

// Shutdown stops the worker and waits until it has stopped. It claims no more at
// once and lets running attempts go on for the grace period or until ctx is done.
// Then it ends their contexts with [ErrShutdown], waits up to 2 s for them, and
// gives back what is still not settled: those jobs return to the head of their
// queues and the attempts are not counted. Handlers that have not returned even
// then are left behind; nothing they report is used. After ctx is done Shutdown
// still takes some seconds when handlers do not stop or the store does not answer.
//
// It returns nil when all attempts ended or were given back, else what went wrong,
// joined; the jobs concerned return to their queues when the lease runs out. It may
// be called before Start, which then fails, and again: each call waits for the
// same end, and the first ctx that is done counts.
func (w *Worker) Shutdown(ctx context.Context) error {
	w.stop()
	select {
	case <-w.done:
	case <-ctx.Done():
		w.cutGrace()
		<-w.done
	}
	return w.err
}

func (w *Worker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	w.stopped = true
	close(w.stopping)
	if w.started {
		w.stopJoining()
	} else {
		close(w.done)
	}
}

func (w *Worker) cutGrace() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.hurried {
		w.hurried = true
		close(w.hurry)
	}
}

func (w *Worker) isStopping() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// call gives one call of the store the deadline that every such call has.
func (w *Worker) call(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := lazyctx.WithTimeout(ctx, w.callTimeout)
	defer cancel()
	return fn(ctx)
}
