package storetest

import (
	"context"
	"runtime"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func wakeUpCases() []testCase {
	return []testCase{
		{"a job that comes to an empty queue wakes an idle session, every time", wakeOnArrival},
		{"a scheduled job that becomes the next one due wakes a session", wakeOnSchedule},
		{"a job that returns to an empty queue wakes a session", wakeOnReturn},
		{"every session is woken, whichever takes the job", wakeAll},
		{"no wake-up is lost between a producer and consumers that sleep", wakeUnderRace},
	}
}

// idle claims until there is nothing, so that the next hint is a new one.
func (h *harness) idle(session store.Session) {
	h.Helper()
	drain(session.Arrived())
	require.Empty(h, h.claim(session, 1).Claims)
}

func wakeOnArrival(h *harness) {
	session := h.join(longLease)
	for range 5 {
		h.idle(session)
		h.create()
		h.receives(session.Arrived(), "a job came")
		h.settle(session, h.claimOne(session).Ref, completed())
	}
}

func wakeOnSchedule(h *harness) {
	session := h.join(longLease)
	for _, delay := range []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour} {
		h.idle(session)
		h.create(delayed(delay))
		h.receives(session.Arrived(), "a job will be due earlier")
		next := h.claim(session, 1).NextDue
		assert.LessOrEqual(h, next, delay)
		assert.Greater(h, next, delay-time.Minute)
	}
}

func wakeOnReturn(h *harness) {
	idle, busy := h.join(longLease), h.join(longLease)
	created := h.create()
	ref := h.claimOne(busy).Ref
	returns := []struct {
		name string
		do   func()
	}{
		{"release", func() { require.NoError(h, busy.Release(h.ctx(), ref, 0)) }},
		{"retry of an attempt", func() { h.settle(busy, ref, retried(0)) }},
		{"retry of a failed job", func() {
			h.settle(busy, ref, failed())
			_, err := h.store.Retry(h.ctx(), created.ID, 3)
			require.NoError(h, err)
		}},
		{"leave", func() { require.NoError(h, busy.Leave(h.ctx())) }},
	}
	for _, way := range returns {
		h.idle(idle)
		way.do()
		h.receives(idle.Arrived(), way.name)
		claim := h.claimOne(idle)
		idle, busy, ref = h.join(longLease), idle, claim.Ref
	}
}

func wakeAll(h *harness) {
	one, other := h.join(longLease), h.join(longLease)
	h.idle(one)
	h.idle(other)
	h.create()
	h.receives(one.Arrived(), "the first session")
	h.claimOne(one)
	h.receives(other.Arrived(), "the second session")
	assert.Empty(h, h.claim(other, 1).Claims)
}

func wakeUnderRace(h *harness) {
	const jobs, consumers = 120, 2
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	taken := make(chan string, jobs)
	sessions := h.joinAll(consumers)
	counts := gather(h, consumers+1, func(i int) (int, error) {
		if i == consumers {
			return 0, h.produce(ctx, jobs)
		}
		return consume(ctx, cancel, sessions[i], taken)
	})
	total := 0
	for _, n := range counts {
		total += n
	}
	assert.Equal(h, jobs, total, "all jobs were taken by consumers that waited for hints only")
}

// produce makes jobs one by one, now and then with a pause that lets the
// consumers fall asleep.
func (h *harness) produce(ctx context.Context, jobs int) error {
	for i := range jobs {
		if _, _, err := h.store.Create(ctx, job()); err != nil {
			return unlessOver(ctx, err) // the last one may be settled before Create returns
		}
		for range i % 7 {
			runtime.Gosched()
		}
		if i%10 == 0 {
			h.pass(time.Millisecond)
		}
	}
	return nil
}

// consume settles jobs until the taken channel is full, sleeping whenever there
// are none. The consumer that fills it ends the others.
func consume(ctx context.Context, end func(), session store.Session, taken chan string) (int, error) {
	n := 0
	for {
		batch, err := session.Claim(ctx, []store.Want{{Queue: queueName, Max: 2}})
		if err != nil {
			return n, unlessOver(ctx, err)
		}
		for _, c := range batch.Claims {
			if _, err := session.Settle(ctx, c.Ref, completed()); err != nil {
				return n, unlessOver(ctx, err)
			}
			n++
			taken <- c.Job.ID
			if len(taken) == cap(taken) {
				end()
			}
		}
		if len(batch.Claims) > 0 {
			continue
		}
		select {
		case <-session.Arrived():
		case <-ctx.Done():
			return n, nil
		}
	}
}

// unlessOver drops an error that the end of the test brought about.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
