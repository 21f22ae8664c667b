package worker_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("the store is broken")

// bench is a store, a tap on the worker's side of it, and the workers of a test.
type bench struct {
	t     testing.TB
	jobs  *memstore.Store
	tap   *tap
	lines *lines
}

// inBubble runs a test in fake time.
func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newBench(t)) })
}

func newBench(t testing.TB) *bench {
	t.Helper()
	jobs := memstore.New()
	return &bench{t: t, jobs: jobs, tap: newTap(jobs), lines: &lines{}}
}

// config is a worker for one queue with four slots.
func (b *bench) config(handle worker.Handler) worker.Config {
	return b.configFor(worker.Route{Handle: handle})
}

func (b *bench) configFor(route worker.Route) worker.Config {
	return worker.Config{
		Store:  b.tap,
		Name:   "w",
		Queues: map[string]int{"default": 4},
		Logger: slog.New(slog.NewTextHandler(b.lines, nil)),
		Routes: func(name string) (worker.Route, bool) { return route, name == "route" },
	}
}

// start runs a worker until the test ends.
func (b *bench) start(cfg worker.Config) *worker.Worker {
	b.t.Helper()
	w, err := worker.New(cfg)
	require.NoError(b.t, err)
	require.NoError(b.t, w.Start(context.Background()))
	b.t.Cleanup(func() { _ = w.Shutdown(b.t.Context()) })
	return w
}

// run starts a worker with that handler.
func (b *bench) run(handle worker.Handler) *worker.Worker {
	b.t.Helper()
	return b.start(b.config(handle))
}

// job is a new job of the known route with four attempts; change may alter it.
func (b *bench) job(change ...func(*store.NewJob)) string {
	b.t.Helper()
	job := store.NewJob{Route: "route", Queue: "default", MaxAttempts: 4, Retention: 24 * time.Hour}
	for _, c := range change {
		c(&job)
	}
	created, _, err := b.jobs.Create(context.Background(), job)
	require.NoError(b.t, err)
	return created.ID
}

func (b *bench) get(id string) store.Job {
	b.t.Helper()
	job, err := b.jobs.Get(context.Background(), id)
	require.NoError(b.t, err)
	return job
}

func (b *bench) state(id string) store.State { b.t.Helper(); return b.get(id).State }

// becomes asserts the state of a job once everything has come to rest.
func (b *bench) becomes(id string, want store.State) store.Job {
	b.t.Helper()
	synctest.Wait()
	job := b.get(id)
	assert.Equal(b.t, want, job.State, "state of the job; problem: %+v", job.Problem)
	return job
}

func (b *bench) cancel(id string) {
	b.t.Helper()
	_, err := b.jobs.Cancel(context.Background(), id)
	require.NoError(b.t, err)
}

func attempts(n int) func(*store.NewJob)          { return func(j *store.NewJob) { j.MaxAttempts = n } }
func delayed(d time.Duration) func(*store.NewJob) { return func(j *store.NewJob) { j.Delay = d } }
func inQueue(q string) func(*store.NewJob)        { return func(j *store.NewJob) { j.Queue = q } }
func onRoute(r string) func(*store.NewJob)        { return func(j *store.NewJob) { j.Route = r } }

// succeed is a handler that completes at once.
func succeed(context.Context, store.Claim) worker.Report { return worker.Report{} }

// until is a handler that runs until its context ends, and tells the cause.
func until(causes chan<- error) worker.Handler {
	return func(ctx context.Context, _ store.Claim) worker.Report {
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return worker.Report{}
	}
}

// lines keeps what was logged.
type lines struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*lines)(nil)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func countLines(b *bench, containing string) int {
	return strings.Count(b.lines.String(), containing)
}
