package redisstore

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// settlement is the end of an attempt on its way to Redis.
type settlement struct {
	ref               store.Ref
	state             store.State
	delay             int64 // milliseconds
	problem, response string
	data              []byte
}

func (m settlement) size() int { return len(m.data) + len(m.problem) + 128 }

// settle ends an attempt.
func (t *seat) settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if !store.InProgress.CanBecome(outcome.State()) || outcome.State() == store.Queued {
		return "", fmt.Errorf("redisstore: %q is not how an attempt ends", outcome.State())
	}
	m := settlement{ref: ref, state: outcome.State(), delay: milliseconds(outcome.Delay())}
	var err error
	if m.problem, err = encodeProblem(outcome.Problem()); err != nil {
		return "", err
	}
	if result := outcome.Result(); result != nil {
		m.response = encodeResponse(result.Response)
		m.data = bytes.Clone(result.Data) // the caller may reuse it
	}
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	state, err := t.settles.do(ctx, m)
	switch {
	case err != nil:
		return "", err
	case state == "lost":
		return "", store.ErrLeaseLost
	}
	t.gaveUp(ref)
	return store.State(state), nil
}

// sendSettles ends attempts in one call.
func (t *seat) sendSettles(ctx context.Context, ends []settlement) ([]string, error) {
	keys := make([]string, 2, 2+len(ends))
	keys[0], keys[1] = t.keys.lock, t.keys.held
	args := make([]any, 2, 2+6*len(ends))
	args[0], args[1] = t.token, t.name
	for i := range ends {
		m := &ends[i]
		keys = append(keys, t.partition.record(m.ref.ID))
		args = append(args, m.ref.Claim, string(m.state), m.delay, m.problem, m.response, m.data)
	}
	reply, err := t.partition.run(ctx, t.steps().settle, keys, args...)
	if err != nil {
		return nil, err
	}
	states, ok := reply.([]any)
	if !ok || len(states) != len(ends) {
		return nil, lostOr("settle", reply)
	}
	became := make([]string, len(states))
	for i, state := range states {
		became[i], _ = state.(string)
	}
	return became, nil
}

// report stores the progress of an attempt.
func (t *seat) report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	reply, err := t.partition.run(ctx, t.steps().report,
		[]string{t.keys.lock, t.keys.held, t.partition.record(ref.ID)},
		t.token, ref.Claim, t.calls.Add(1), encodeProgress(progress))
	if err == nil && reply != int64(1) {
		err = lostOr("report", reply)
	}
	return err
}

// release gives a job back.
func (t *seat) release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	reply, err := t.partition.run(ctx, t.steps().release,
		[]string{t.keys.lock, t.keys.held, t.keys.stop, t.keys.session, t.partition.record(ref.ID)},
		t.token, ref.Claim, milliseconds(delay), t.name+strconv.FormatInt(t.calls.Add(1), 10))
	if err == nil && reply != int64(1) {
		err = lostOr("release", reply)
	}
	if err == nil {
		t.gaveUp(ref)
	}
	return err
}
