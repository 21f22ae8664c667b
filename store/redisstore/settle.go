package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// settlement is the end of an attempt on its way to Redis.
type settlement struct {
	ref   store.Ref
	key   string // of the record
	state string // its letter
	delay int64  // milliseconds
	// value is that of the running job if it is as it was claimed, as far as is known here.
	value string
	// outcome is that of the attempt without the progress, and summary the size of the
	// summary in it. With a value it is the record of the completed job.
	outcome string
	summary int
}

func (m settlement) size() int { return len(m.outcome) + 128 }

// lostClaim is what settle says of a claim that is lost.
const lostClaim = '-'

// settle ends an attempt.
func (t *seat) settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if !store.InProgress.CanBecome(outcome.State()) || outcome.State() == store.Queued {
		return "", fmt.Errorf("redisstore: %q is not how an attempt ends", outcome.State())
	}
	m := settlement{ref: ref, key: t.partition.record(ref.ID), state: letterText(outcome.State()), delay: milliseconds(outcome.Delay())}
	var err error
	if m.outcome, m.summary, err = encodeOutcome(outcome); err != nil {
		return "", err
	}
	if known := t.known(ref); known.head != "" && outcome.State() == store.Completed {
		m.value, m.outcome = known.value, known.completed(ref.Claim, m.outcome, m.summary)
	}
	ctx, cancel := atMost(ctx, longestCall)
	defer cancel()
	state, err := t.settles.do(ctx, m)
	switch {
	case err != nil:
		return "", err
	case state == lostClaim:
		return "", store.ErrLeaseLost
	}
	t.gaveUp(ref)
	return stateOf(state), nil
}

// sendSettles ends attempts in one call.
func (t *seat) sendSettles(ctx context.Context, ends []*member[settlement, byte]) error {
	c := t.partition.call(t.steps().settle, 3+len(ends), 2+6*len(ends))
	c.args = append(c.args, &t.keys.lock, &t.keys.held, &t.keys.stop)
	for _, m := range ends {
		c.args = append(c.args, &m.in.key)
	}
	c.args = append(c.args, &t.token, &t.name)
	for _, m := range ends {
		c.args = append(c.args, &m.in.ref.Claim, &m.in.state, &m.in.delay, &m.in.value, &m.in.outcome, &m.in.summary)
	}
	reply, err := t.partition.send(ctx, c)
	if err != nil {
		return err
	}
	states, ok := reply.(string)
	if !ok || len(states) != len(ends) || states == "lost" {
		return lostOr("settle", reply)
	}
	for i, m := range ends {
		m.out = states[i]
	}
	return nil
}

// report stores the progress of an attempt.
func (t *seat) report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	reply, err := t.partition.run(ctx, t.steps().report,
		[]string{t.keys.lock, t.partition.record(ref.ID)},
		t.token, t.name, ref.Claim, t.calls.Add(1), encodeProgress(progress))
	if err == nil && reply != int64(1) {
		err = lostOr("report", reply)
	}
	return err
}

// release gives a job back.
func (t *seat) release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	reply, err := t.partition.run(ctx, t.steps().release,
		[]string{t.keys.lock, t.keys.held, t.keys.stop, t.keys.session, t.partition.record(ref.ID)},
		t.token, t.name, ref.Claim, milliseconds(delay), t.calls.Add(1))
	if err == nil && reply != int64(1) {
		err = lostOr("release", reply)
	}
	if err == nil {
		t.gaveUp(ref)
	}
	return err
}
