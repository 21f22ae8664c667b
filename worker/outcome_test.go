package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

func TestUnknownRoute(t *testing.T) {
	t.Run("the job is given back for 5 s and the attempt is not counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(succeed)
			id := b.job(onRoute("new"), attempts(1))
			job := b.becomes(id, store.Scheduled)
			assert.Equal(t, 0, job.Attempt)
			assert.Equal(t, 5*time.Second, time.Until(job.DueAt))
			assert.Equal(t, 1, countLines(b, "no handler for the route"))
		})
	})

	t.Run("a worker that knows the route takes it up", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			old := b.run(succeed)
			id := b.job(onRoute("new"))
			b.becomes(id, store.Scheduled)
			require.NoError(t, old.Shutdown(t.Context()))
			cfg := b.config(succeed)
			cfg.Routes = func(string) (worker.Route, bool) { return worker.Route{Handle: succeed}, true }
			b.start(cfg)
			time.Sleep(5 * time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("after ten minutes the job fails", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(succeed)
			id := b.job(onRoute("gone"))
			time.Sleep(10 * time.Minute)
			b.becomes(id, store.Scheduled)
			time.Sleep(5 * time.Second)
			job := b.becomes(id, store.Failed)
			assert.Equal(t, "no-handler", job.Problem.Type)
			assert.Contains(t, job.Problem.Detail, `"gone"`)
		})
	})

	t.Run("a job that has waited long for any worker is given back all the same", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job(onRoute("new"))
			time.Sleep(time.Hour)
			b.run(succeed)
			assert.Equal(t, store.Scheduled, b.becomes(id, store.Scheduled).State)
		})
	})

	t.Run("a route without a handler counts as unknown", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{}))
			b.becomes(b.job(), store.Scheduled)
		})
	})
}
