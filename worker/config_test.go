package worker_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/worker"
)

func TestNewReturnsEveryMistake(t *testing.T) {
	_, err := worker.New(worker.Config{
		Queues:       map[string]int{"": 1, "pdf": -2},
		Lease:        -time.Second,
		PollInterval: -time.Second,
	})
	require.Error(t, err)
	for _, part := range []string{
		"Store is required", "Routes is required", "a queue needs a name", `"pdf" must not run -2 jobs`,
		"Lease must be at least 1ms", "PollInterval must not be negative",
	} {
		assert.ErrorContains(t, err, part)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 6)
}

func TestNewNeedsAQueueWithASlot(t *testing.T) {
	for name, queues := range map[string]map[string]int{"no queues": nil, "only closed queues": {"a": 0}} {
		t.Run(name+" are a mistake", func(t *testing.T) {
			_, err := worker.New(worker.Config{
				Store:  memstore.New(),
				Routes: func(string) (worker.Route, bool) { return worker.Route{}, false },
				Queues: queues,
			})
			assert.ErrorContains(t, err, "at least one queue must run 1 job")
		})
	}
}

func TestDefaultsOfConfig(t *testing.T) {
	t.Run("an idle worker polls once a second and renews every third of 10 s", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(succeed)
			time.Sleep(9999 * time.Millisecond)
			synctest.Wait()
			assert.Equal(t, 10, b.tap.count("claim"))
			assert.Equal(t, 2, b.tap.count("renew"))
		})
	})

	t.Run("a worker without a name is called after its host and process", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(succeed)
			cfg.Name = ""
			b.start(cfg)
			synctest.Wait()
			assert.Regexp(t, `worker=\S+-\d+`, b.lines.String())
		})
	})

	t.Run("without a logger the default one is used", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			before := slog.Default()
			defer slog.SetDefault(before)
			slog.SetDefault(slog.New(slog.NewTextHandler(b.lines, nil)))
			cfg := b.config(succeed)
			cfg.Logger = nil
			b.start(cfg)
			synctest.Wait()
			assert.Contains(t, b.lines.String(), "joined the store")
		})
	})

	t.Run("a route without back-off is retried by the default one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.start(b.configFor(worker.Route{Handle: failing(worker.Report{Problem: problem("x"), Retry: true})}))
			id := b.job(attempts(2))
			job := b.becomes(id, store.Scheduled)
			assert.InDelta(t, 2, time.Until(job.DueAt).Seconds(), 0.41)
		})
	})
}
