package worker_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// reporting is a handler that does what it is given with its attempt.
func reporting(do func(ctx context.Context, a *worker.Attempt)) worker.Handler {
	return func(ctx context.Context, _ store.Claim) worker.Report {
		attempt, _ := worker.FromContext(ctx)
		do(ctx, attempt)
		return worker.Report{}
	}
}

func TestProgress(t *testing.T) {
	t.Run("the first report is written at once, the latest of the next ones after 250 ms", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				for i := range 20 {
					assert.NoError(t, a.Progress(ctx, float64(i), "step"))
					time.Sleep(10 * time.Millisecond)
				}
				<-ctx.Done()
			}))
			id := b.job()
			assert.InDelta(t, 0, b.becomes(id, store.InProgress).Progress.Percent, 0)
			assert.Equal(t, 1, b.tap.count("report"))
			time.Sleep(249 * time.Millisecond)
			assert.InDelta(t, 0, b.becomes(id, store.InProgress).Progress.Percent, 0)
			time.Sleep(time.Millisecond)
			job := b.becomes(id, store.InProgress)
			assert.InDelta(t, 19, job.Progress.Percent, 0)
			assert.Equal(t, "step", job.Progress.Message)
			assert.Equal(t, 2, b.tap.count("report"))
		})
	})

	t.Run("a report that is written at once is not followed by an older one that waited", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			const jobs = 4 // as many as run at once
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				assert.NoError(t, a.Progress(ctx, 1, ""))
				due := time.After(250 * time.Millisecond)
				assert.NoError(t, a.Progress(ctx, 2, ""))
				<-due // and at the same time that of the report that waits
				assert.NoError(t, a.Progress(ctx, 3, ""))
				<-ctx.Done()
			}))
			var ids []string
			for range jobs {
				ids = append(ids, b.job())
			}
			time.Sleep(10 * time.Second)
			for _, id := range ids {
				assert.InDelta(t, 3, b.becomes(id, store.InProgress).Progress.Percent, 0)
			}
		})
	})

	t.Run("what is pending when the handler returns is written before the job is settled", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				assert.NoError(t, a.Progress(ctx, 1, ""))
				assert.NoError(t, a.Progress(ctx, 50, ""))
				assert.NoError(t, a.Progress(ctx, 100, "done"))
			}))
			job := b.becomes(b.job(), store.Completed)
			assert.InDelta(t, 100, job.Progress.Percent, 0)
			assert.Equal(t, "done", job.Progress.Message)
			assert.Equal(t, 2, b.tap.count("report"))
			time.Sleep(time.Minute)
			assert.Equal(t, 2, b.tap.count("report"))
		})
	})

	t.Run("while a write is under way the latest report waits for it", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "report" {
					time.Sleep(time.Second)
				}
				return call()
			})
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				go func() { _ = a.Progress(ctx, 1, "") }()
				time.Sleep(500 * time.Millisecond)
				assert.NoError(t, a.Progress(ctx, 2, ""))
				assert.NoError(t, a.Progress(ctx, 3, ""))
				time.Sleep(2 * time.Second)
			}))
			id := b.job()
			time.Sleep(1900 * time.Millisecond)
			assert.InDelta(t, 1, b.becomes(id, store.InProgress).Progress.Percent, 0)
			time.Sleep(200 * time.Millisecond)
			assert.InDelta(t, 3, b.becomes(id, store.InProgress).Progress.Percent, 0)
			assert.Equal(t, 2, b.tap.count("report"))
			time.Sleep(time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("the attempt is not settled while a report is being written", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			writing := make(chan struct{})
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "report" {
					close(writing)
					time.Sleep(time.Second)
				}
				return call()
			})
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				go func() { _ = a.Progress(context.WithoutCancel(ctx), 7, "") }()
				<-writing
			}))
			id := b.job()
			time.Sleep(900 * time.Millisecond)
			b.becomes(id, store.InProgress)
			time.Sleep(200 * time.Millisecond)
			assert.InDelta(t, 7, b.becomes(id, store.Completed).Progress.Percent, 0)
		})
	})

	t.Run("a percentage out of range is an error and stores nothing", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				for _, percent := range []float64{-0.1, 100.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
					assert.ErrorContains(t, a.Progress(ctx, percent, ""), "between 0 and 100")
				}
			}))
			b.becomes(b.job(), store.Completed)
			assert.Zero(t, b.tap.count("report"))
		})
	})

	t.Run("the store's error is returned", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("report")
			b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
				assert.ErrorIs(t, a.Progress(ctx, 1, ""), errBroken)
			}))
			b.becomes(b.job(), store.Completed)
		})
	})

	t.Run("after the attempt it returns why that ended", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			left := make(chan *worker.Attempt, 2)
			b.start(b.configFor(worker.Route{Timeout: time.Second, Handle: reporting(func(ctx context.Context, a *worker.Attempt) {
				<-ctx.Done()
				assert.ErrorIs(t, a.Progress(ctx, 1, ""), worker.ErrTimeout)
				assert.ErrorIs(t, a.Progress(t.Context(), 1, ""), worker.ErrTimeout)
				left <- a
			})}))
			id := b.job(attempts(1))
			time.Sleep(time.Second)
			b.becomes(id, store.Failed)
			assert.ErrorIs(t, (<-left).Progress(t.Context(), 1, ""), worker.ErrTimeout)
			assert.Zero(t, b.tap.count("report"))
		})
	})

	t.Run("when the attempt ends during the write it returns why", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.once("report", func(ctx context.Context, _ func() error) error { <-ctx.Done(); return ctx.Err() })
			route := worker.Route{Timeout: time.Second, Handle: reporting(func(ctx context.Context, a *worker.Attempt) {
				assert.ErrorIs(t, a.Progress(ctx, 1, ""), worker.ErrTimeout)
			})}
			b.start(b.configFor(route))
			id := b.job(attempts(1))
			time.Sleep(time.Second)
			b.becomes(id, store.Failed)
		})
	})

	for name, c := range map[string]struct{ message, want string }{
		"200 characters are kept":          {strings.Repeat("é", 200), strings.Repeat("é", 200)},
		"201 characters are cut":           {strings.Repeat("é", 201), strings.Repeat("é", 199) + "…"},
		"bytes that are no text are shown": {"a\xffb", "a\uFFFDb"},
	} {
		t.Run("of a message "+name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.run(reporting(func(ctx context.Context, a *worker.Attempt) {
					assert.NoError(t, a.Progress(ctx, 1, c.message))
				}))
				message := b.becomes(b.job(), store.Completed).Progress.Message
				assert.Equal(t, c.want, message)
				assert.LessOrEqual(t, utf8.RuneCountInString(message), 200)
			})
		})
	}
}
