package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// Claim implements store.Session. The partitions are asked one after the other until
// there is enough: first the one that the latest hint was about, else each in its turn.
// Those that do not answer are left out until they do, if there are others.
func (x *session) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch := store.Batch{NextDue: -1}
	left := append([]store.Want(nil), want...)
	seats := x.inTurn()
	errs := make(outcomes, 0, len(seats))
	patience := turnPatience
	for i, seat := range seats {
		if i > 0 && (satisfied(left) || ctx.Err() != nil) {
			break
		}
		err := seat.partition.inTime(ctx, patience, func(ctx context.Context) error {
			return seat.claim(ctx, left, &batch)
		})
		if timedOut(err) {
			patience = max(patience/2, leastPatience)
		}
		errs = append(errs, err)
	}
	// What was claimed has to be run, whatever else went wrong.
	if errs.all() && len(batch.Claims) == 0 {
		return store.Batch{}, errs.first()
	}
	return batch, nil
}

// inTurn returns the seats to ask, in their order.
func (x *session) inTurn() []*seat {
	taken := x.taken()
	start := int(uint32(x.turn.Add(1)-1) % uint32(len(taken))) // it may overflow
	seats := make([]*seat, 0, len(taken))
	var ailing []*seat
	for i := range taken {
		switch seat := taken[(start+i)%len(taken)]; {
		case seat == nil:
		case seat.partition.ailing():
			ailing = append(ailing, seat)
		default:
			seats = append(seats, seat)
		}
	}
	if len(seats) == 0 {
		return ailing
	}
	return seats
}

func satisfied(left []store.Want) bool {
	for _, w := range left {
		if w.Max > 0 {
			return false
		}
	}
	return true
}

// claim adds to the batch what the partition has, and takes it off what is left to
// want.
func (t *seat) claim(ctx context.Context, left []store.Want, batch *store.Batch) error {
	keys := []string{t.keys.lock, t.keys.held, t.keys.session}
	args := make([]any, 0, 3+2*len(left))
	args = append(args, t.token, t.name, t.calls.Add(1))
	for _, w := range left {
		args = append(args, w.Queue, max(w.Max, 0))
	}
	reply, err := t.partition.run(ctx, t.steps().claim, keys, args...)
	if err != nil {
		return err
	}
	rows, ok := reply.([]any)
	if !ok || len(rows) == 0 || len(rows)%3 != 0 {
		return lostOr("claim", reply)
	}
	if ms, _ := rows[0].(int64); ms >= 0 {
		if due := time.Duration(ms) * time.Millisecond; batch.NextDue < 0 || due < batch.NextDue {
			batch.NextDue = due
		}
	}
	before := len(batch.Claims)
	if batch.Claims, err = t.readClaims(batch.Claims, rows); err != nil {
		return err
	}
	for i := range batch.Claims[before:] {
		for k := range left {
			if left[k].Queue == batch.Claims[before+i].Job.Queue {
				left[k].Max--
			}
		}
	}
	return nil
}

// readClaims reads the time of the claims, the number of the first one, and then an id, a
// record and the summary of an earlier outcome for each, and appends the claims. It notes
// what the seat holds.
func (t *seat) readClaims(claims []store.Claim, rows []any) ([]store.Claim, error) {
	started, _ := rows[1].(int64)
	turn, _ := rows[2].(int64)
	before := len(claims)
	claims = slices.Grow(claims, len(rows)/3-1)
	now := time.Now()
	var failed error
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := 3; i < len(rows); i += 3 {
		id, _ := rows[i].(string)
		record, _ := rows[i+1].(string)
		summary, _ := rows[i+2].(string)
		of := turn // the number of this one
		if turn > 0 {
			turn++
		}
		claims = append(claims, store.Claim{})
		claim := &claims[len(claims)-1]
		h, err := readClaim(claim, id, record, summary, started)
		if err != nil {
			// The others can be run; this one is given back by the keeper of the lease.
			failed = errors.Join(failed, err)
			claims = claims[:len(claims)-1]
			continue
		}
		t.claims[claim.Ref] = t.heldClaim(now, claim.Ref, h, started, of)
	}
	if len(claims) > before {
		return claims, nil
	}
	return claims, failed
}

// readClaim reads a claim from the record, which stays as it was: what a claim changes is
// always the same. What it reads does not keep the record, which may be large.
func readClaim(claim *store.Claim, id, record, summary string, started int64) (head, error) {
	h, payload, err := readHead(record)
	if err != nil {
		return "", fmt.Errorf("job %s: %w", id, err)
	}
	h = head(strings.Clone(string(h)))
	if claim.Job, err = h.job(id); err != nil {
		return "", err
	}
	if _, err = addSummary(&claim.Job, summary); err != nil {
		return "", err
	}
	claim.Job.Progress = store.Progress{}
	asClaimed(&claim.Job, started)
	claim.Ref = store.Ref{ID: id, Claim: h.number(atClaim, 6) + 1}
	// A payload that is damaged leaves a claim without a request: whoever runs it can
	// tell, and end the job.
	claim.Request, claim.Envelope, _ = splitPayload([]byte(payload))
	return h, nil
}
