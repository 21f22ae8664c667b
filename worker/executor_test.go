package worker_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

func problem(kind string) store.Problem {
	return store.Problem{Type: kind, Title: "went wrong", Status: 500}
}

func failing(report worker.Report) worker.Handler {
	return func(context.Context, store.Claim) worker.Report { return report }
}

// quick is a back-off of exactly one second.
func quick() worker.Backoff {
	return worker.Backoff{Initial: time.Second, Max: time.Minute, Factor: 2}
}

func TestReports(t *testing.T) {
	result := &store.Result{Response: store.Response{Status: 201, ContentType: "text/plain", Bytes: 2}, Data: []byte("ok")}

	t.Run("a report without a problem completes the job with its result", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(failing(worker.Report{Result: result}))
			id := b.job()
			job := b.becomes(id, store.Completed)
			assert.Equal(t, result.Response, job.Response)
			_, data, err := b.jobs.Result(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, "ok", string(data))
		})
	})

	t.Run("a permanent failure fails the job at once, with its result", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(failing(worker.Report{Problem: problem("bad"), Result: result}))
			job := b.becomes(b.job(), store.Failed)
			assert.Equal(t, 1, job.Attempt)
			assert.Equal(t, problem("bad"), job.Problem)
			assert.Equal(t, 201, job.Response.Status)
		})
	})

	t.Run("a postponed job runs again after that time, the attempt not counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			var runs atomic.Int32
			b.run(func(context.Context, store.Claim) worker.Report {
				if runs.Add(1) <= 3 {
					return worker.Report{Postpone: time.Minute, Problem: problem("unused")}
				}
				return worker.Report{}
			})
			id := b.job(attempts(1))
			job := b.becomes(id, store.Scheduled)
			assert.Equal(t, 0, job.Attempt)
			assert.Equal(t, time.Minute, time.Until(job.DueAt))
			assert.True(t, job.Problem.IsZero())
			time.Sleep(3 * time.Minute)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("a failure worth a retry is tried until the attempts are used up", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{
				Handle: failing(worker.Report{Problem: problem("busy"), Retry: true, Result: result}), Backoff: quick(),
			}))
			id := b.job(attempts(3))
			began := time.Now()
			assert.Equal(t, time.Second, time.Until(b.becomes(id, store.Scheduled).DueAt))
			time.Sleep(time.Minute)
			job := b.becomes(id, store.Failed)
			assert.Equal(t, 3, job.Attempt)
			assert.Equal(t, problem("busy"), job.Problem)
			assert.Equal(t, 201, job.Response.Status)
			assert.Equal(t, 3*time.Second, job.FinishedAt.Sub(began).Round(time.Millisecond))
		})
	})

	t.Run("the delay that a handler asks for goes before the back-off", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{
				Handle:  failing(worker.Report{Problem: problem("busy"), Retry: true, RetryAfter: 42 * time.Second}),
				Backoff: quick(),
			}))
			job := b.becomes(b.job(), store.Scheduled)
			assert.Equal(t, 42*time.Second, time.Until(job.DueAt))
		})
	})
}

func TestHandlersThatDoNotReturn(t *testing.T) {
	for name, c := range map[string]struct {
		handle worker.Handler
		kind   string
	}{
		"a panic":             {func(context.Context, store.Claim) worker.Report { panic("secret") }, "panic"},
		"a panic with nil":    {func(context.Context, store.Claim) worker.Report { panic(nil) }, "panic"}, //nolint:govet // on purpose
		"an exited goroutine": {func(context.Context, store.Claim) worker.Report { runtime.Goexit(); return worker.Report{} }, "goexit"},
	} {
		t.Run(name+" fails the attempt, is retried, and frees the slot", func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				cfg := b.configFor(worker.Route{Handle: c.handle, Backoff: quick()})
				cfg.Queues = map[string]int{"default": 1}
				b.start(cfg)
				id := b.job(attempts(2))
				b.becomes(id, store.Scheduled)
				time.Sleep(2 * time.Second)
				job := b.becomes(id, store.Failed)
				assert.Equal(t, 2, job.Attempt)
				assert.Equal(t, c.kind, job.Problem.Type)
				assert.Equal(t, 500, job.Problem.Status)
				assert.NotContains(t, job.Problem.Detail, "secret")
			})
		})
	}

	t.Run("the jobs that were claimed with one whose goroutine exits are run", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			var calls atomic.Int32
			var ids []string
			for range 4 {
				ids = append(ids, b.job(attempts(1)))
			}
			b.run(func(context.Context, store.Claim) worker.Report {
				if calls.Add(1) < 4 {
					runtime.Goexit()
				}
				return worker.Report{}
			})
			synctest.Wait()
			ends := map[store.State]int{}
			for _, id := range ids {
				ends[b.state(id)]++
			}
			assert.Equal(t, map[store.State]int{store.Failed: 3, store.Completed: 1}, ends)
		})
	})

	t.Run("the stack of a panic is logged", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(func(context.Context, store.Claim) worker.Report { panic("secret") })
			id := b.job()
			synctest.Wait()
			for _, part := range []string{"secret", "executor_test.go", "job=" + id, "route=route", "attempt=1", "worker=w"} {
				assert.Contains(t, b.lines.String(), part)
			}
		})
	})
}

func TestTimeout(t *testing.T) {
	t.Run("an attempt over its time is retried and then fails as timed out", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 2)
			b.start(b.configFor(worker.Route{Handle: until(causes), Timeout: time.Minute, Backoff: quick()}))
			id := b.job(attempts(2))
			time.Sleep(time.Minute)
			b.becomes(id, store.Scheduled)
			cause := <-causes
			assert.ErrorIs(t, cause, worker.ErrTimeout)
			assert.ErrorIs(t, cause, context.DeadlineExceeded)
			time.Sleep(2 * time.Minute)
			job := b.becomes(id, store.Failed)
			assert.Equal(t, store.Problem{Type: "timeout", Title: "attempt timed out", Status: 504}, job.Problem)
		})
	})

	t.Run("each of many attempts has its own time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(nil)
			cfg.Queues = map[string]int{"default": 20}
			took := make(chan time.Duration, 20)
			limits := map[string]time.Duration{}
			for i := range 20 {
				limits[fmt.Sprint(i)] = time.Duration((i*7)%20+1) * time.Second
			}
			cfg.Routes = func(name string) (worker.Route, bool) {
				limit := limits[name]
				return worker.Route{Timeout: limit, Handle: func(ctx context.Context, _ store.Claim) worker.Report {
					began := time.Now()
					<-ctx.Done()
					took <- time.Since(began) - limit
					return worker.Report{}
				}}, true
			}
			b.start(cfg)
			var ids []string
			for name := range limits {
				ids = append(ids, b.job(onRoute(name), attempts(1)))
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(20 * time.Second)
			for _, id := range ids {
				assert.Equal(t, "timeout", b.becomes(id, store.Failed).Problem.Type)
				assert.Zero(t, <-took)
			}
		})
	})

	t.Run("a handler that asks for the error of its context alone sees it end in time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			errs := make(chan error, 2)
			b.start(b.configFor(worker.Route{Timeout: time.Second, Handle: func(ctx context.Context, _ store.Claim) worker.Report {
				for ctx.Err() == nil {
					time.Sleep(100 * time.Millisecond)
				}
				errs <- ctx.Err()
				errs <- context.Cause(ctx)
				return worker.Report{}
			}}))
			id := b.job(attempts(1))
			time.Sleep(1200 * time.Millisecond)
			b.becomes(id, store.Failed)
			assert.Equal(t, context.DeadlineExceeded, <-errs)
			assert.Equal(t, worker.ErrTimeout, <-errs)
		})
	})

	t.Run("success reported after the time is over does not count", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{
				Timeout: time.Second,
				Handle: func(context.Context, store.Claim) worker.Report {
					time.Sleep(2 * time.Second)
					return worker.Report{Result: &store.Result{}}
				},
			}))
			id := b.job(attempts(1))
			time.Sleep(2 * time.Second)
			assert.Equal(t, "timeout", b.becomes(id, store.Failed).Problem.Type)
		})
	})

	t.Run("an attempt that is settled after its time uses a live context", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			var dead atomic.Bool
			b.tap.set(func(ctx context.Context, op string, call func() error) error {
				if _, bounded := ctx.Deadline(); ctx.Err() != nil || !bounded {
					dead.Store(true)
				}
				return call()
			})
			b.start(b.configFor(worker.Route{Handle: until(make(chan error, 1)), Timeout: time.Second}))
			id := b.job(attempts(1))
			time.Sleep(time.Second)
			b.becomes(id, store.Failed)
			assert.False(t, dead.Load())
		})
	})
}

func TestHandlerThatIgnoresItsContext(t *testing.T) {
	t.Run("it is settled by the cause after 5 s, its slot is freed, and its late report is ignored", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			var calls atomic.Int32
			cfg := b.configFor(worker.Route{Timeout: time.Second, Backoff: quick(), Handle: func(context.Context, store.Claim) worker.Report {
				if calls.Add(1) == 1 {
					<-release
				}
				return worker.Report{}
			}})
			cfg.Queues = map[string]int{"default": 1}
			b.start(cfg)
			stuck, next := b.job(attempts(1)), b.job()
			time.Sleep(5999 * time.Millisecond)
			b.becomes(stuck, store.InProgress)
			b.becomes(next, store.Queued)
			time.Sleep(time.Millisecond)
			assert.Equal(t, "timeout", b.becomes(stuck, store.Failed).Problem.Type)
			b.becomes(next, store.Completed)
			assert.Equal(t, 1, countLines(b, "goroutine is abandoned"))
			close(release)
			b.becomes(stuck, store.Failed)
			assert.Equal(t, 2, b.tap.count("settle"))
		})
	})

	t.Run("one that returns within the 5 s is settled then", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{Timeout: time.Second, Handle: func(context.Context, store.Claim) worker.Report {
				time.Sleep(3 * time.Second)
				return worker.Report{}
			}}))
			id := b.job(attempts(1))
			time.Sleep(3 * time.Second)
			b.becomes(id, store.Failed)
			time.Sleep(time.Minute)
			assert.Zero(t, countLines(b, "abandoned"))
		})
	})
}

func TestCancel(t *testing.T) {
	t.Run("a running job is stopped at once and ends canceled", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 1)
			b.run(until(causes))
			id := b.job()
			b.becomes(id, store.InProgress)
			began := time.Now()
			b.cancel(id)
			b.becomes(id, store.Canceled)
			assert.Zero(t, time.Since(began))
			assert.ErrorIs(t, <-causes, worker.ErrCanceled)
		})
	})

	t.Run("a handler that ignores it ends canceled after 5 s", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			b.run(func(context.Context, store.Claim) worker.Report { <-release; return worker.Report{} })
			id := b.job()
			b.becomes(id, store.InProgress)
			b.cancel(id)
			time.Sleep(5 * time.Second)
			b.becomes(id, store.Canceled)
			close(release)
		})
	})

	t.Run("other jobs go on", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			started, release := make(chan string, 2), make(chan struct{})
			b.run(gate(started, release))
			stopped, other := b.job(), b.job()
			synctest.Wait()
			b.cancel(stopped)
			b.becomes(stopped, store.Canceled)
			b.becomes(other, store.InProgress)
			close(release)
			b.becomes(other, store.Completed)
		})
	})
}
