package ginasync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
)

// storeTimeout bounds each call to the store that a request makes.
const storeTimeout = 5 * time.Second

// Manager owns the async routes of one engine: it stores their requests, serves the
// status routes, and runs the workers. Make one with [New]. It is safe for
// concurrent use.
type Manager struct {
	engine *gin.Engine
	cfg    config
	store  store.Store // seals and opens when there are keys
	log    *slog.Logger

	keys     *keyring  // nil: nothing is sealed
	withheld headerSet // credentials that are not stored; nil: all are

	mu      sync.Mutex // serialises Routes, Start and Shutdown
	started bool
	status  statusGroup
	workers *worker.Worker // nil without workers

	webhooks *webhooks // nil: there are no events to send
	watching *watching // requests that wait for jobs
	endings  endings   // and when they have to stop waiting

	routes   atomic.Pointer[routeTable]     // empty until Start
	document atomic.Pointer[servedDocument] // nil until Start, or for good
	replay   *replayEngine                  // written before the workers start
}

// New creates the Manager of an engine. It starts nothing and registers nothing. It
// returns every mistake in opts, joined in one error.
func New(engine *gin.Engine, opts ...Option) (*Manager, error) {
	cfg, err := newConfig(opts)
	if engine == nil {
		err = errors.Join(errors.New("the engine is nil: pass the *gin.Engine that has the routes"), err)
	}
	if err != nil {
		return nil, fmt.Errorf("ginasync: %w", err)
	}
	m := &Manager{engine: engine, cfg: cfg, store: cfg.store, log: cfg.log, keys: cfg.keys, withheld: cfg.withheld()}
	if m.keys != nil {
		m.store = &sealedStore{cfg.store, cfg.keys}
	}
	m.watching = newWatching(m.store, cfg.maxWatchers)
	m.webhooks = newWebhooks(m)
	m.routes.Store(newRouteTable())
	return m, nil
}

// Start binds the async routes registered so far and starts the workers. Call it
// once, after all routes are registered and before the first request. Attempts see
// the values of ctx; its end does not stop them: call [Manager.Shutdown]. Every
// mistake in the routes' options is returned, joined; nothing is started then. A
// store that cannot be reached yet is no error: workers keep trying, and submissions
// get 503 meanwhile. What the store says of its surroundings ([store.Advisor]) is
// logged; Start waits for that, at most 1 s.
func (m *Manager) Start(ctx context.Context) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	m.passOnAdvice(ctx)
	return nil
}

func (m *Manager) start(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return errStarted
	}
	table, err := m.discover()
	if err = errors.Join(m.status.err, err); err != nil {
		return fmt.Errorf("ginasync: %w", err)
	}
	if err := m.prepareOpenAPI(table); err != nil {
		return fmt.Errorf("ginasync: OpenAPI: %w", err)
	}
	m.routes.Store(table)
	m.replay = newReplayEngine(m.engine)
	for _, r := range table.byName {
		m.replay.add(r.method, r.path, r.handlers(m.cfg.middleware)...)
		r.worker = m.attempts(r)
	}
	if err := table.bind(m); err != nil {
		return fmt.Errorf("ginasync: %w", err)
	}
	if err := m.startWorkers(ctx); err != nil {
		table.unbind(m)
		return fmt.Errorf("ginasync: %w", err)
	}
	m.started = true
	m.warnOfGaps(table)
	if m.status.there && m.cfg.owner == nil {
		m.log.Info("ginasync: jobs have no owners: their ids are the secret, and there is no list; WithOwner changes that")
	}
	return nil
}

// startWorkers starts the workers unless there are to be none.
func (m *Manager) startWorkers(ctx context.Context) error {
	if m.cfg.noWorkers {
		return nil
	}
	w, err := worker.New(worker.Config{
		Store:        m.store,
		Routes:       m.workerRoute,
		Queues:       m.cfg.queues,
		Lease:        m.cfg.lease,
		PollInterval: m.cfg.poll,
		Grace:        m.cfg.grace,
		Logger:       m.log,
	})
	if err != nil {
		return err
	}
	m.workers = w
	return w.Start(ctx)
}

// warnOfGaps logs what is allowed and most likely not meant.
func (m *Manager) warnOfGaps(table *routeTable) {
	if len(table.byName) == 0 {
		m.log.Warn("ginasync: no async routes found: Async has to be the last handler of a route, and registered before Start")
		return
	}
	if len(m.withheld) > 0 {
		m.log.Warn("ginasync: these request headers are not stored, because the store keeps jobs outside of this process; WithEncryption keeps them",
			"headers", m.withheld.names())
	}
	if !m.status.there {
		m.log.Warn("ginasync: no status routes: clients cannot follow their jobs; call Manager.Routes before Start")
	}
}

// Shutdown stops the workers: they take no more jobs, running ones may finish within
// the grace period or until ctx is done, whichever is first. Then their contexts are
// cancelled and what is still not over is released, to be run again elsewhere. It
// returns nil when every job was finished or released. Requests that wait for a job
// are answered at once, as they are when their http.Server shuts down; clients that do
// not read hold it up for 5 s at most. Requests are still stored after it; stop the HTTP
// server too. Before Start it does nothing. It may be called again, also at the same
// time: each call waits for the same end, and the first ctx that is done ends the grace
// period.
func (m *Manager) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	w, started := m.workers, m.started
	m.mu.Unlock()
	if !started {
		return nil
	}
	m.endings.end()
	var err error
	if w != nil {
		err = w.Shutdown(ctx)
		m.webhooks.close()
		m.tellWhatWaits(context.WithoutCancel(ctx))
	}
	m.seeWatchersOff(ctx)
	return err
}

// seeWatchersOff waits until those who watched jobs have their answers: net/http does not
// wait for streams whose connection was taken from it.
func (m *Manager) seeWatchersOff(ctx context.Context) {
	timer := time.NewTimer(requestGrace)
	defer timer.Stop()
	select {
	case <-m.watching.none():
	case <-timer.C:
	case <-ctx.Done():
	}
}

// tellWhatWaits logs how many jobs are left; those of a local store end with the process.
func (m *Manager) tellWhatWaits(ctx context.Context) {
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	stats, err := m.store.Stats(ctx)
	waiting := stats.Queued + stats.Scheduled
	switch {
	case err != nil:
		m.log.Warn("ginasync: workers stopped; the store does not say what waits", "error", err)
	case waiting > 0 && isLocal(m.store):
		m.log.Warn("ginasync: workers stopped; waiting jobs end with the process", "waiting", waiting)
	default:
		m.log.Info("ginasync: workers stopped", "waiting", waiting)
	}
}
