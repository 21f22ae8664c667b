package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func (p *pair) create() act {
	job := store.NewJob{
		Route: []string{"POST /a", "POST /b"}[p.pick(2)], Queue: []string{"x", "y"}[p.pick(2)],
		Owner: []string{"", "alice", "bob"}[p.pick(3)], MaxAttempts: 1 + p.pick(3), Retention: time.Hour,
		Delay: p.delay(0, 0, 0, soon, far),
		// Always there: without it a store need not count.
		MaxWaitingOfOwner: 2 + p.pick(8),
		Request:           []byte{byte(p.pick(256)), 'r'}, Envelope: []byte{'e', byte(p.pick(256))},
	}
	if p.pick(3) == 0 {
		job.Key, job.Fingerprint = fmt.Sprint("key ", p.pick(6)), fmt.Sprint(p.pick(2))
	}
	if p.pick(4) == 0 {
		job.MaxWaiting = 1 + p.pick(12)
	}
	return func(ctx context.Context, s *side) any {
		got, created, err := s.store.Create(ctx, job)
		if created {
			s.names[got.ID] = len(s.jobs)
			s.jobs = append(s.jobs, got.ID)
		}
		return []any{s.view(got), created, word(err)}
	}
}

// delay draws a delay.
func (p *pair) delay(from ...time.Duration) time.Duration {
	d := from[p.pick(len(from))]
	p.pending = p.pending || d == soon
	return d
}

// ripe waits until what is due soon is due on both sides.
func (p *pair) ripe() {
	if p.pending {
		<-time.After(2 * soon)
		p.pending = false
	}
}

func (p *pair) claim() act {
	p.ripe()
	session := p.pick(len(p.sides[0].sessions))
	want := []store.Want{{Queue: "x", Max: p.pick(4)}, {Queue: "y", Max: p.pick(3)}}
	return func(ctx context.Context, s *side) any {
		batch, err := s.sessions[session].Claim(ctx, want)
		answer := []any{word(err), batch.NextDue < 0}
		for _, c := range batch.Claims {
			s.claims = append(s.claims, held{session, c.Ref})
			answer = append(answer, s.view(c.Job), s.names[c.Ref.ID], c.Ref.Claim, string(c.Request), string(c.Envelope))
		}
		return answer
	}
}

// claimed draws a claim that was made before, mostly a late one.
func (p *pair) claimed() int {
	n := len(p.sides[0].claims)
	if p.pick(4) > 0 {
		return n - 1 - p.pick(min(n, 6))
	}
	return p.pick(n)
}

func (p *pair) settle() act {
	if len(p.sides[0].claims) == 0 {
		return p.everything
	}
	i := p.claimed()
	problem := store.Problem{Type: "t", Title: "T", Status: 500, Detail: fmt.Sprint(p.pick(9))}
	result := store.Result{Data: []byte(fmt.Sprint(p.pick(99))), Response: store.Response{Status: 200, ContentType: "a/b; c=d", Bytes: 2}}
	outcome := []store.Outcome{
		store.Complete(result), store.Complete(result), store.Fail(problem, &result), store.Fail(problem, nil),
		store.RetryAfter(p.delay(0, soon, far), problem), store.RetryAfter(0, problem), store.Cancel(),
	}[p.pick(7)]
	return func(ctx context.Context, s *side) any {
		state, err := s.sessions[s.claims[i].session].Settle(ctx, s.claims[i].ref, outcome)
		return []any{state, word(err)}
	}
}

func (p *pair) release() act {
	if len(p.sides[0].claims) == 0 {
		return p.everything
	}
	i, delay := p.claimed(), p.delay(0, 0, soon, far)
	return func(ctx context.Context, s *side) any {
		return word(s.sessions[s.claims[i].session].Release(ctx, s.claims[i].ref, delay))
	}
}

func (p *pair) report() act {
	if len(p.sides[0].claims) == 0 {
		return p.everything
	}
	i, progress := p.claimed(), store.Progress{Percent: float64(p.pick(1000)) / 10, Message: "some  words é"}
	return func(ctx context.Context, s *side) any {
		return word(s.sessions[s.claims[i].session].Report(ctx, s.claims[i].ref, progress))
	}
}

// onJob makes an act on a job that was created before.
func (p *pair) onJob(do func(ctx context.Context, s *side, id string) any) act {
	if len(p.sides[0].jobs) == 0 {
		return p.everything
	}
	i := p.pick(len(p.sides[0].jobs))
	return func(ctx context.Context, s *side) any { return do(ctx, s, s.jobs[i]) }
}

func (p *pair) cancel() act {
	return p.onJob(func(ctx context.Context, s *side, id string) any {
		got, err := s.store.Cancel(ctx, id)
		return []any{s.view(got), word(err)}
	})
}

func (p *pair) retry() act {
	attempts := p.pick(3)
	return p.onJob(func(ctx context.Context, s *side, id string) any {
		got, err := s.store.Retry(ctx, id, attempts)
		return []any{s.view(got), word(err)}
	})
}

func (p *pair) remove() act {
	return p.onJob(func(ctx context.Context, s *side, id string) any { return word(s.store.Delete(ctx, id)) })
}

func (p *pair) get() act {
	return p.onJob(func(ctx context.Context, s *side, id string) any {
		got, data, err := s.store.Result(ctx, id)
		return []any{s.view(got), data == nil, string(data), word(err)}
	})
}

func (p *pair) list() act {
	query := store.Query{
		Owner: []string{"", "alice", "bob"}[p.pick(3)], Route: []string{"", "POST /a"}[p.pick(2)], Limit: 1 + p.pick(5),
	}
	for _, state := range store.States() {
		if p.pick(4) == 0 {
			query.States = append(query.States, state)
		}
	}
	return func(ctx context.Context, s *side) any {
		var answer []any
		for q, more := query, true; more; {
			page, err := s.store.List(ctx, q)
			answer = append(answer, word(err), page.Next == "")
			for _, job := range page.Jobs {
				answer = append(answer, s.view(job))
			}
			q.Cursor = page.Next
			more = page.Next != ""
		}
		return answer
	}
}

func (p *pair) renew() act {
	session := p.pick(len(p.sides[0].sessions))
	return func(ctx context.Context, s *side) any {
		renewal, err := s.sessions[session].Renew(ctx)
		return []any{s.refs(renewal.Held), s.refs(renewal.Stop), word(err)}
	}
}

func (p *pair) leave() act {
	session := p.pick(len(p.sides[0].sessions))
	return func(ctx context.Context, s *side) any { return word(s.sessions[session].Leave(ctx)) }
}

func (p *pair) join(lease time.Duration) {
	for _, s := range p.sides {
		session, err := s.store.Join(p.Context(), "worker", lease)
		require.NoError(p, err)
		p.Cleanup(func() { assert.NoError(p, session.Leave(context.WithoutCancel(p.Context()))) })
		s.sessions = append(s.sessions, session)
	}
}

// die lets a session claim jobs and run out of its lease, then takes its jobs back.
func (p *pair) die() act {
	p.ripe()
	p.join(time.Second)
	session := len(p.sides[0].sessions) - 1
	p.same("claim of a session that dies", func(ctx context.Context, s *side) any {
		batch, err := s.sessions[session].Claim(ctx, []store.Want{{Queue: "x", Max: 3}, {Queue: "y", Max: 3}})
		for _, c := range batch.Claims {
			s.claims = append(s.claims, held{session, c.Ref})
		}
		return []any{len(batch.Claims), word(err)}
	})
	for _, s := range p.sides {
		require.Eventually(p, func() bool {
			_, err := s.sessions[session].Claim(p.Context(), nil)
			return errors.Is(err, store.ErrLeaseLost)
		}, 10*time.Second, 10*time.Millisecond)
	}
	return func(ctx context.Context, s *side) any {
		first, err := s.store.Reclaim(ctx, 2)
		rest, again := s.store.Reclaim(ctx, 100)
		return []any{first, rest, word(err), word(again)}
	}
}
