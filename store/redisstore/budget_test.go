package redisstore_test

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// commandCalls returns how often a server has executed each command, those of scripts
// included.
func commandCalls(t *testing.T, client *redis.Client) map[string]int {
	t.Helper()
	info, err := client.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	calls := make(map[string]int)
	for _, line := range regexp.MustCompile(`cmdstat_(\S+?):calls=(\d+)`).FindAllStringSubmatch(info, -1) {
		n, err := strconv.Atoi(line[2])
		require.NoError(t, err)
		calls[line[1]] = n
	}
	return calls
}

// spent returns how many scripts act has run, and how many other commands, those of
// scripts included; not what reading the counts takes.
func spent(t *testing.T, client *redis.Client, act func()) (trips, commands int) {
	t.Helper()
	before := commandCalls(t, client)
	act()
	for name, n := range commandCalls(t, client) {
		switch n -= before[name]; name {
		case "info":
		case "evalsha":
			trips += n
		default:
			commands += n
		}
	}
	return trips, commands
}

var answer = store.Complete(store.Result{
	Data: make([]byte, 128), Response: store.Response{Status: 200, ContentType: "application/json", Bytes: 64},
})

// What each step costs is fixed here, so that more of it is noticed without measuring
// time. A step that does more needs more; say so where it is raised.
func TestCommandsOfAJob(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	settleAll(t, s, session, 1, time.Hour) // scripts are loaded, keys are there

	t.Run("alone", func(t *testing.T) {
		for _, step := range []struct {
			name     string
			act      func()
			commands int
		}{
			{"create", func() { create(t, s) }, 8},
			{"claim", func() {
				c := claim(t, session, 1)[0]
				t.Cleanup(func() { assert.NotEmpty(t, c.Request) })
			}, 12},
		} {
			trips, commands := spent(t, client, step.act)
			assert.Equal(t, 1, trips, step.name)
			assert.LessOrEqual(t, commands, step.commands, step.name)
		}
		held, err := session.Renew(t.Context())
		require.NoError(t, err)
		trips, commands := spent(t, client, func() {
			_, err := session.Settle(t.Context(), held.Held[0], answer)
			require.NoError(t, err)
		})
		assert.Equal(t, 1, trips)
		assert.LessOrEqual(t, commands, 8, "settle")
	})
	t.Run("each of many that go together takes one SET to be created and one to be completed", func(t *testing.T) {
		const jobs = 100
		for range jobs {
			create(t, s)
		}
		trips, commands := spent(t, client, func() { require.Len(t, claim(t, session, jobs), jobs) })
		assert.Equal(t, 1, trips)
		assert.LessOrEqual(t, commands, 12, "a claim of many")
		held, err := session.Renew(t.Context())
		require.NoError(t, err)
		gate := hold(client)
		trips, commands = spent(t, client, func() {
			gate.passFirst(t, jobs, func(i int) {
				_, err := session.Settle(t.Context(), held.Held[i], answer)
				assert.NoError(t, err)
			})
		})
		// The first goes alone, the others together, but for those that were late.
		assert.LessOrEqual(t, trips, 4)
		assert.LessOrEqual(t, commands, jobs+4*7)
	})
}

// gate holds the first script until others wait behind it.
type gate struct {
	held atomic.Bool
	open chan struct{}
}

func hold(client *redis.Client) *gate {
	g := &gate{open: make(chan struct{})}
	g.held.Store(true)
	client.AddHook(g)
	return g
}

// passFirst calls act with 0 to n-1 at the same time, and lets the first script go when all
// others had time to wait for it.
func (g *gate) passFirst(t *testing.T, n int, act func(i int)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { act(i) })
	}
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	close(g.open)
	all.Wait()
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" && g.held.CompareAndSwap(true, false) {
			<-g.open
		}
		return next(ctx, cmd)
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// The three calls of a job that is alone; jobs that go together share calls and take less.
func TestMemoryTakenPerJob(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	job := store.NewJob{
		Route: "POST /reports/:year", Queue: "default", MaxAttempts: 4, Retention: time.Minute,
		Request: make([]byte, 480), Envelope: make([]byte, 32),
	}
	allocs := testing.AllocsPerRun(200, func() {
		_, _, err := s.Create(t.Context(), job)
		require.NoError(t, err)
		batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 1}})
		require.NoError(t, err)
		_, err = session.Settle(t.Context(), batch.Claims[0].Ref, answer)
		require.NoError(t, err)
	})
	t.Logf("%.0f allocations", allocs)
	assert.LessOrEqual(t, allocs, 98.0)
}

// Of jobs that go together only what is their own counts: no contexts, no timers.
func TestMemoryTakenByEachOfMany(t *testing.T) {
	const jobs = 500
	s := redisstore.New(redistest.Start(t).Client(t))
	session := join(t, s, time.Minute)
	perJob := func(act func(i int)) float64 {
		return testing.AllocsPerRun(4, func() {
			var all sync.WaitGroup
			for i := range jobs {
				all.Go(func() { act(i) })
			}
			all.Wait()
		}) / jobs
	}
	created := perJob(func(int) {
		_, _, err := s.Create(t.Context(), store.NewJob{Queue: "default", Retention: time.Minute, Request: make([]byte, 480)})
		assert.NoError(t, err)
	})
	for range 5 { // AllocsPerRun runs once before it counts
		claim(t, session, jobs)
	}
	held, err := session.Renew(t.Context())
	require.NoError(t, err)
	require.Len(t, held.Held, 5*jobs)
	var next atomic.Int32
	settled := perJob(func(int) {
		_, err := session.Settle(t.Context(), held.Held[next.Add(1)-1], answer)
		assert.NoError(t, err)
	})
	t.Logf("%.1f allocations to create, %.1f to settle", created, settled)
	assert.LessOrEqual(t, created, 11.0)
	assert.LessOrEqual(t, settled, 7.0)
}
