package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// outage is a client hook by which the servers of some hash tags are away.
type outage struct {
	mu    sync.Mutex
	tags  []string
	hangs bool // they do not answer; otherwise they cannot be reached
}

var errRefused = errors.New("connection refused")

func (o *outage) refuse(tags ...string) { o.set(tags, false) }
func (o *outage) hang(tags ...string)   { o.set(tags, true) }
func (o *outage) mend()                 { o.set(nil, false) }

func (o *outage) set(tags []string, hangs bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tags, o.hangs = tags, hangs
}

func (o *outage) isAway(cmd redis.Cmder) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := fmt.Sprintf("%.400v", cmd.Args())
	return slices.ContainsFunc(o.tags, func(tag string) bool { return strings.Contains(text, "{"+tag+"}") })
}

// fail lets a command to a server that is away fail.
func (o *outage) fail(ctx context.Context, cmd redis.Cmder) error {
	o.mu.Lock()
	hangs := o.hangs
	o.mu.Unlock()
	err := errRefused
	if hangs {
		<-ctx.Done()
		err = ctx.Err()
	}
	cmd.SetErr(err)
	return err
}

func (o *outage) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (o *outage) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if o.isAway(cmd) {
			return o.fail(ctx, cmd)
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook has a pipeline reach several servers, as that of a Cluster does; it
// also gives all commands the error of one that hangs, as that does.
func (o *outage) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var failed error
		if reached := slices.DeleteFunc(slices.Clone(cmds), o.isAway); len(reached) > 0 {
			failed = next(ctx, reached)
		}
		for _, cmd := range cmds {
			if o.isAway(cmd) {
				failed = o.fail(ctx, cmd)
			}
		}
		for _, cmd := range cmds {
			if ctx.Err() != nil && cmd.Err() == nil {
				cmd.SetErr(ctx.Err())
			}
		}
		return failed
	}
}

func TestAPartitionWhoseServerIsAway(t *testing.T) {
	addr := redistest.Shared(t)
	for name, test := range map[string]func(t *testing.T, away *outage, open func(partitions int) *redisstore.Store){
		"does not keep a process from joining, even if nobody uses it": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			away.refuse("y3", "z21")
			join(t, open(3), time.Minute)
			away.hang("y3", "z21")
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			session, err := open(3).Join(ctx, "worker", time.Minute)
			require.NoError(t, err)
			require.NoError(t, session.Leave(t.Context()))
		},
		"does not hide another that somebody uses": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			many := open(2)
			for range 4 {
				create(t, many)
			}
			away.hang("c27")
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			session, err := open(1).Join(ctx, "worker", time.Minute)
			require.NoError(t, err)
			assert.Len(t, claim(t, session, 10), 4)
			require.NoError(t, session.Leave(t.Context()))
		},
		"is found by a later renewal, with its jobs": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			many := open(3)
			for range 6 {
				create(t, many)
			}
			away.refuse("b9", "c27")
			fewer := open(1)
			session := join(t, fewer, time.Minute)
			assert.Len(t, claim(t, session, 10), 2)
			away.mend()
			for range 2 { // it is found, and then joined
				_, err := session.Renew(t.Context())
				require.NoError(t, err)
			}
			assert.Len(t, claim(t, session, 10), 4)
			renewal, err := session.Renew(t.Context())
			require.NoError(t, err)
			assert.Len(t, renewal.Held, 6)
		},
		"does not take the time of a claim from the others": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			s := open(12)
			session := join(t, s, time.Minute)
			for range 24 {
				create(t, s)
			}
			away.hang("a", "b9", "c27", "d86")
			for i := range 16 {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				batch, err := session.Claim(ctx, []store.Want{{Queue: "default", Max: 1}})
				cancel()
				require.NoError(t, err)
				require.Len(t, batch.Claims, 1)
				if i > 0 {
					assert.Less(t, time.Since(began), time.Second, "it is known who does not answer")
				}
			}
			away.mend()
			_, err := s.Reclaim(t.Context(), 1)
			require.NoError(t, err)
			assert.Len(t, claim(t, session, 10), 8, "it is known that they are back")
		},
		"does not take the time of recovery from the others": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			s := open(12)
			for range 24 {
				create(t, s)
			}
			session := join(t, s, time.Second)
			require.Len(t, claim(t, session, 24), 24)
			eventually(t, "the lease has run out", func() bool {
				_, err := session.Claim(t.Context(), nil)
				return errors.Is(err, store.ErrLeaseLost)
			})
			away.hang("a", "b9", "c27", "d86")
			reclaim := func() (int, error) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				return s.Reclaim(ctx, 10)
			}
			for _, want := range []int{10, 6} {
				taken, err := reclaim()
				require.NoError(t, err)
				assert.Equal(t, want, taken)
			}
			_, err := reclaim()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			away.mend()
			taken, err := reclaim()
			require.NoError(t, err)
			assert.Equal(t, 8, taken)
		},
		"leaves a renewal time for the rest": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			s := open(3)
			away.refuse("b9", "c27")
			session := join(t, s, 3*time.Second)
			away.hang("b9", "c27")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := session.Renew(ctx)
			require.NoError(t, err)
			require.NoError(t, ctx.Err())
			away.mend()
		},
		"is joined once by renewals at the same time": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			s := open(3)
			away.refuse("b9")
			session := join(t, s, time.Minute)
			away.mend()
			var renewals sync.WaitGroup
			for range 8 {
				renewals.Go(func() {
					_, err := session.Renew(t.Context())
					assert.NoError(t, err)
				})
			}
			renewals.Wait()
			stats, err := s.Stats(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 1, stats.Sessions)
		},
		"gets new jobs again when it is back, also from a process without workers": func(t *testing.T, away *outage, open func(int) *redisstore.Store) {
			s := open(2)
			away.refuse("b9")
			failures := 0
			for range 10 {
				if _, _, err := s.Create(t.Context(), store.NewJob{Route: "r", Queue: "default"}); err != nil {
					failures++
				}
			}
			assert.Equal(t, 1, failures, "then it is known")
			away.mend()
			eventually(t, "a job is in the other partition", func() bool { return create(t, s).ID[0] == 'b' })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			away, name := &outage{}, prefix(t)
			client := connect(t, addr)
			client.AddHook(away)
			test(t, away, func(partitions int) *redisstore.Store {
				return redisstore.New(client, redisstore.WithPartitions(partitions), redisstore.WithPrefix(name))
			})
		})
	}
}
