package redisstore_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// A command whose caller has gone may arrive late, when others have done something else.
// Whatever it does then, the keys have to fit together.
func TestKeysFitTogetherWhenStepsAreRepeatedLate(t *testing.T) {
	server := redistest.Start(t)
	for i := range 4 {
		seed := rand.Uint64()
		client, reader := connect(t, server.Addr()), server.Client(t)
		random := rand.New(rand.NewPCG(seed, seed))
		client.AddHook(&late{random: random})
		name := "late" + strconv.Itoa(i)
		s := &side{store: redisstore.New(client, redisstore.WithPrefix(name)), names: map[string]int{}}
		p := &pair{T: t, random: random, sides: [2]*side{s, {store: s.store}}}
		for range 3 {
			s.sessions = append(s.sessions, join(t, s.store.(*redisstore.Store), time.Minute))
		}
		acts := []func() act{
			p.create, p.create, p.create, p.claim, p.claim, p.settle, p.settle, p.settle,
			p.release, p.report, p.cancel, p.retry, p.remove, p.renew,
		}
		for step := range 150 {
			acts[p.pick(len(acts))]()(t.Context(), s)
			k := keyspace{Client: reader, prefix: name + ":{a}"}
			k.check(t, fmt.Sprint("seed ", seed, ", step ", step))
		}
	}
}

// late now and then repeats one of the latest scripts.
type late struct {
	mu     sync.Mutex
	random *rand.Rand
	sent   [][]any
}

func (*late) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (*late) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *late) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() != "evalsha" {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, values(cmd.Args()))
		for l.random.IntN(2) == 0 {
			n := len(l.sent) - 1 - l.random.IntN(min(len(l.sent), 8))
			_ = next(ctx, redis.NewCmd(ctx, l.sent[n]...)) // nobody gets the answer
		}
		return err
	}
}

// values are arguments that nobody else has.
func values(args []any) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case *string:
			all[i] = *v
		case *int64:
			all[i] = *v
		case *int:
			all[i] = *v
		default:
			all[i] = v
		}
	}
	return all
}

// keyspace is what a partition keeps.
type keyspace struct {
	*redis.Client
	prefix string
}

// check fails unless each job that is not over waits at one place or runs in one session, and
// the counts are right.
func (k keyspace) check(t *testing.T, what string) {
	t.Helper()
	ctx := t.Context()
	places := make(map[string]string)
	counts := map[string]int{":line:": 0, ":due:": 0, ":held:": 0}
	for _, key := range k.Keys(ctx, k.prefix+":*").Val() {
		for kind := range maps.Keys(counts) {
			if !strings.HasPrefix(key, k.prefix+kind) {
				continue
			}
			for _, id := range k.Sort(ctx, key, &redis.Sort{Alpha: true}).Val() {
				require.Empty(t, places[id], "%s: %s", what, key)
				places[id] = key
				counts[kind]++
			}
		}
	}
	count := func(field string) int { n, _ := k.HGet(ctx, k.prefix, field).Int(); return n }
	require.Equal(t, counts[":line:"], count("queued"), what)
	require.Equal(t, counts[":due:"], count("scheduled"), what)
	require.EqualValues(t, counts[":held:"], k.HLen(ctx, k.prefix+":running").Val(), what)
	jobs := 0
	for _, key := range k.Keys(ctx, k.prefix+":job:*").Val() {
		if k.PTTL(ctx, key).Val() < 0 { // it is not over
			jobs++
			require.NotEmpty(t, places[strings.TrimPrefix(key, k.prefix+":job:")], "%s: a job is nowhere", what)
		}
	}
	require.Len(t, places, jobs, what)
}
