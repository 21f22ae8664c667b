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
	// outcome is that of the attempt without the progress, and summary the size of the
	// summary in it.
	outcome string
	summary int
}

func (m settlement) size() int { return len(m.outcome) + 128 }

// otherClaim is what steps say of a claim that they have nothing to do with.
const otherClaim = '-'

// settle ends an attempt. One that has completed a job to which nothing else has happened
// has a step of its own, which does little; if that leaves it to the other, each may take as
// long as a call may unless ctx ends before.
func (t *seat) settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if !store.InProgress.CanBecome(outcome.State()) || outcome.State() == store.Queued {
		return "", fmt.Errorf("redisstore: %q is not how an attempt ends", outcome.State())
	}
	m := settlement{ref: ref, key: t.partition.record(ref.ID), state: letterText(outcome.State()), delay: milliseconds(outcome.Delay())}
	var room [summaryRoom]byte
	summary, data, err := takeApart(room[:0], outcome)
	if err != nil {
		return "", err
	}
	m.summary = len(summary)
	answer := byte(otherClaim)
	if known := t.known(ref); known.head != "" && outcome.State() == store.Completed {
		record := known.completed(ref.Claim, summary, data)
		m.outcome = record[len(record)-len(summary)-len(data):]
		answer, err = t.completions.do(ctx, completion{id: ref.ID, key: m.key, value: known.value, record: record})
	} else {
		m.outcome = string(append(summary, data...))
	}
	if err == nil && answer == otherClaim {
		answer, err = t.settles.do(ctx, m)
	}
	switch {
	case err != nil:
		return "", err
	case answer == otherClaim:
		return "", store.ErrLeaseLost
	}
	t.gaveUp(ref)
	return stateOf(answer), nil
}

// sendSettles ends attempts in one call.
func (t *seat) sendSettles(ctx context.Context, ends []*member[settlement, byte]) error {
	c := t.partition.call(t.steps().settle, 3+len(ends), 2+5*len(ends))
	c.args = append(c.args, t.keys.lock, t.keys.held, t.keys.stop)
	for _, m := range ends {
		c.args = append(c.args, &m.in.key)
	}
	c.args = append(c.args, t.token, t.name)
	for _, m := range ends {
		c.args = append(c.args, &m.in.ref.Claim, &m.in.state, &m.in.delay, &m.in.outcome, &m.in.summary)
	}
	reply, err := t.partition.send(ctx, c)
	return readLetters("settle", reply, err, ends)
}

// completion is a completed job on its way to Redis.
type completion struct {
	id, key string
	value   string // of the running job as it was claimed
	record  string
}

func (m completion) size() int { return len(m.record) + 128 }

// sendCompletions ends jobs in one call.
func (t *seat) sendCompletions(ctx context.Context, ends []*member[completion, byte]) error {
	c := t.partition.call(t.steps().complete, 2+len(ends), 1+2*len(ends))
	c.args = append(c.args, t.keys.lock, t.keys.held)
	for _, m := range ends {
		c.args = append(c.args, &m.in.key)
	}
	c.args = append(c.args, t.token)
	for _, m := range ends {
		c.args = append(c.args, &m.in.value, &m.in.record)
	}
	reply, err := t.partition.send(ctx, c)
	return readLetters("complete", reply, err, ends)
}

// readLetters reads an answer that has a letter for each member.
func readLetters[In sized](step string, reply any, err error, members []*member[In, byte]) error {
	if err != nil {
		return err
	}
	letters, ok := reply.(string)
	if !ok || len(letters) != len(members) || letters == "lost" {
		return lostOr(step, reply)
	}
	for i, m := range members {
		m.out = letters[i]
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
