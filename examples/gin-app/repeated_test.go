package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keepsIdempotencyKeys repeats requests over two processes on one Redis.
func keepsIdempotencyKeys(t *testing.T, binary string) {
	server := redistest.Start(t)
	services := []*app{
		onRedis(t, binary, server, "-owner-header", "X-User"),
		onRedis(t, binary, server, "-owner-header", "X-User"),
	}
	send := func(service *app, user, key, target string) answer {
		req := post(t, service.url+target)
		req.Header.Set("X-User", user)
		req.Header.Set("Idempotency-Key", key)
		return service.send(t, req)
	}

	t.Run("parallel requests with one key make one job, quoted or not", func(t *testing.T) {
		answers := make([]answer, 12)
		var all sync.WaitGroup
		for i := range answers {
			key := "parallel"
			if i%3 == 0 {
				key = `"parallel"`
			}
			all.Go(func() { answers[i] = send(services[i%2], "ada", key, "/slow/0") })
		}
		all.Wait()
		ids, replayed := map[string]bool{}, 0
		for _, got := range answers {
			require.Equal(t, http.StatusAccepted, got.StatusCode, "%s", got.body)
			ids[got.Header.Get("Location")] = true
			if got.Header.Get("Idempotent-Replayed") == "true" {
				replayed++
			}
		}
		assert.Len(t, ids, 1)
		assert.Equal(t, len(answers)-1, replayed)
	})

	t.Run("a key is of one request of one owner", func(t *testing.T) {
		first := send(services[0], "ada", "scoped", "/slow/0").Header.Get("Location")
		reused := send(services[1], "ada", "scoped", "/slow/1")
		assert.Equal(t, http.StatusUnprocessableEntity, reused.StatusCode)
		assert.Contains(t, string(reused.body), "idempotency-key-reused")
		other := send(services[1], "bob", "scoped", "/slow/0")
		assert.Equal(t, http.StatusAccepted, other.StatusCode)
		assert.NotEqual(t, first, other.Header.Get("Location"))
	})

	t.Run("a repetition elsewhere waits for the result as the first request does", func(t *testing.T) {
		first := make(chan answer, 1)
		waiting := func(service *app) answer {
			req := post(t, service.url+"/slow/1")
			req.Header.Set("X-User", "ada")
			req.Header.Set("Idempotency-Key", "waiting")
			req.Header.Set("Prefer", "wait=20")
			return service.send(t, req)
		}
		go func() { first <- waiting(services[0]) }()
		again := waiting(services[1])
		one := <-first
		assert.Equal(t, "200", again.Header.Get("AsyncResult"))
		assert.Equal(t, "done after 1 s\n", string(one.body))
		assert.Equal(t, one.body, again.body)
		assert.ElementsMatch(t, []string{"", "true"},
			[]string{one.Header.Get("Idempotent-Replayed"), again.Header.Get("Idempotent-Replayed")})
	})

	t.Run("a job that could not be stored leaves its key free", func(t *testing.T) {
		server.Stop()
		refused := send(services[0], "ada", "refused", "/slow/0")
		assert.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
		server.Restart(t)
		var got answer
		require.Eventually(t, func() bool {
			got = send(services[1], "ada", "refused", "/slow/1")
			return got.StatusCode == http.StatusAccepted
		}, patience, 50*time.Millisecond, "also for another request")
		assert.Empty(t, got.Header.Get("Idempotent-Replayed"))
		assert.True(t, strings.HasPrefix(got.Header.Get("Location"), "/jobs/"))
	})
}
