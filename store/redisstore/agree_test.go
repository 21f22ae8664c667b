package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

const (
	agreeRuns  = 6
	agreeSteps = 250
	// soon is a delay that a test waits for, far one that never passes in a test.
	soon, far = 20 * time.Millisecond, time.Hour
)

func TestRandomOperationsAgreeWithMemory(t *testing.T) {
	client := connect(t, redistest.Shared(t))
	for range agreeRuns {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			p := &pair{T: t, random: rand.New(rand.NewPCG(seed, seed))}
			p.sides[0] = &side{store: memstore.New(), names: map[string]int{}}
			p.sides[1] = &side{store: redisstore.New(client, redisstore.WithPrefix(prefix(t))), names: map[string]int{}}
			p.join(time.Minute)
			for step := range agreeSteps {
				name, act := p.choose()
				p.same(fmt.Sprintf("seed %d, step %d, %s", seed, step, name), act)
			}
			p.same("the end", p.everything)
		})
	}
}

// pair does the same to two stores.
type pair struct {
	*testing.T
	random *rand.Rand
	sides  [2]*side
	// pending: something is due soon, and must be due on both sides or on none.
	pending bool
}

// side is one of the stores. Jobs, sessions and claims are named by when they came, so
// that both sides can be told the same.
type side struct {
	store    store.Store
	sessions []store.Session
	jobs     []string
	names    map[string]int
	claims   []held
}

// held is a claim and the session that made it.
type held struct {
	session int
	ref     store.Ref
}

// act does something to one side and returns what it answered, in a form that does not
// depend on the side.
type act func(ctx context.Context, s *side) any

// same does it to both sides and compares the answers.
func (p *pair) same(what string, do act) {
	p.Helper()
	var answers [2]any
	for i, s := range p.sides {
		ctx, cancel := context.WithTimeout(p.Context(), 10*time.Second)
		answers[i] = do(ctx, s)
		cancel()
	}
	require.Equal(p, answers[0], answers[1], what)
}

// choose draws the next thing to do.
func (p *pair) choose() (string, act) {
	acts := []struct {
		name   string
		weight int
		make   func() act
	}{
		{"create", 20, p.create},
		{"claim", 16, p.claim},
		{"settle", 16, p.settle},
		{"release", 6, p.release},
		{"report", 4, p.report},
		{"cancel", 6, p.cancel},
		{"retry", 6, p.retry},
		{"delete", 3, p.remove},
		{"get", 4, p.get},
		{"list", 4, p.list},
		{"renew", 4, p.renew},
		{"look at everything", 3, func() act { return p.everything }},
		{"join", 1, func() act { p.join(time.Minute); return p.everything }},
		{"leave", 1, p.leave},
		{"die", 1, p.die},
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	n := p.random.IntN(total)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			return a.name, a.make()
		}
	}
	return "", nil
}

func (p *pair) pick(n int) int { return p.random.IntN(max(n, 1)) }

// everything is the state of all jobs, sessions and counts.
func (p *pair) everything(ctx context.Context, s *side) any {
	stats, err := s.store.Stats(ctx)
	answer := []any{stats, word(err)}
	for _, id := range s.jobs {
		got, data, err := s.store.Result(ctx, id)
		answer = append(answer, s.view(got), string(data), word(err))
	}
	return answer
}

// view is a job with its times reduced to whether they have come.
func (s *side) view(j store.Job) any {
	came := func(t time.Time) bool { return !t.IsZero() }
	times := []bool{
		came(j.CreatedAt), came(j.ReadyAt), came(j.DueAt), came(j.StartedAt), came(j.FinishedAt),
		came(j.ExpiresAt), came(j.CancelRequestedAt), came(j.Progress.UpdatedAt),
	}
	name := -1
	if n, known := s.names[j.ID]; known {
		name = n
	}
	return []any{
		name, j.Route, j.Queue, j.Owner, j.State, j.Version, j.Attempt, j.MaxAttempts, times,
		j.Progress.Percent, j.Progress.Message, j.Response, j.Problem,
	}
}

// refs names claims in their order.
func (s *side) refs(refs []store.Ref) map[int]int64 {
	named := make(map[int]int64)
	for _, ref := range refs {
		named[s.names[ref.ID]] = ref.Claim
	}
	return named
}

// word is an error as far as stores have to agree on it.
func word(err error) string {
	for _, known := range []error{
		store.ErrNotFound, store.ErrFull, store.ErrOwnerFull, store.ErrKeyReused, store.ErrFinished, store.ErrNotFailed,
		store.ErrNotFinished, store.ErrLeaseLost, store.ErrBadCursor,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}
