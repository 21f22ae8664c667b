package chaos_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
)

// loss is a fault of the network: what happens to the k-th step sent to Redis, and how
// often go-redis repeats it. Steps are scripts, those of redislock included.
type loss struct {
	verdict redistest.Verdict
	retries int // as redis.Options.MaxRetries
	k       int
}

func (l loss) String() string {
	what := map[redistest.Verdict]string{redistest.DropReply: "reply", redistest.DropCommand: "command"}[l.verdict]
	return fmt.Sprintf("the %s of step %d is lost", what, l.k)
}

// losses are the kinds of loss there are.
func losses() map[string]loss {
	return map[string]loss{
		"replies are lost, the client repeats":   {verdict: redistest.DropReply, retries: 3},
		"replies are lost, the client gives up":  {verdict: redistest.DropReply, retries: -1},
		"commands are lost, the client repeats":  {verdict: redistest.DropCommand, retries: 3},
		"commands are lost, the client gives up": {verdict: redistest.DropCommand, retries: -1},
	}
}

// connect makes a client that suffers a loss, and counts its steps.
func (l loss) connect(t *testing.T, server *redistest.Server) (client *redis.Client, steps *atomic.Int64) {
	t.Helper()
	proxy := redistest.NewProxy(t, server.Addr())
	steps = new(atomic.Int64)
	proxy.Intercept(func(command []string) redistest.Verdict {
		if strings.HasPrefix(strings.ToUpper(command[0]), "EVAL") && steps.Add(1) == int64(l.k) {
			return l.verdict
		}
		return redistest.Pass
	})
	client = redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: l.retries, ContextTimeoutEnabled: true})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client, steps
}

// insist repeats a call whose outcome is unknown, as the contract of stores allows.
func insist(t *testing.T, call func() error) error {
	t.Helper()
	var err error
	for range 10 {
		if err = call(); err == nil || meansSomething(err) {
			return err
		}
		letPass(time.Millisecond)
	}
	require.NoError(t, err, "repeated")
	return nil
}

// meansSomething reports whether an error is an answer.
func meansSomething(err error) bool {
	for _, answer := range []error{
		store.ErrNotFound, store.ErrFull, store.ErrKeyReused, store.ErrFinished,
		store.ErrNotFailed, store.ErrNotFinished, store.ErrLeaseLost,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}
