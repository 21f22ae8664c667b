package memstore

import (
	"bytes"
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// queuePerClaim bounds how many due jobs a claim queues beyond those it takes.
// NextDue is 0 while there are more.
const queuePerClaim = 1024

// Claim implements store.Session.
func (x *session) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	if err := ctx.Err(); err != nil {
		return store.Batch{}, err
	}
	// Memory for the claims is taken without holding the lock, too.
	batch := store.Batch{Claims: x.store.room(want), NextDue: -1}
	if err := x.claim(want, &batch); err != nil {
		return store.Batch{}, err
	}
	// The stored bytes never change: they are copied without holding it.
	for i := range batch.Claims {
		c := &batch.Claims[i]
		c.Request, c.Envelope = copyPayload(c.Request, c.Envelope)
	}
	return batch, nil
}

// copyPayload copies two parts of one payload, which the second follows. Neither
// copy can grow into the other.
func copyPayload(request, envelope []byte) (requestCopy, envelopeCopy []byte) {
	n := len(request)
	payload := bytes.Clone(request[:n+len(envelope)])
	return payload[:n:n], payload[n:]
}

// claim takes jobs under the lock. The claims share the store's bytes.
func (x *session) claim(want []store.Want, batch *store.Batch) error {
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !x.live(now) {
		return store.ErrLeaseLost
	}
	for _, w := range want {
		q := s.queues[w.Queue]
		if q == nil {
			continue
		}
		if err := x.claimFrom(q, w.Max, batch, now); err != nil {
			return err
		}
		if next := q.untilDue(now); batch.NextDue < 0 || (next >= 0 && next < batch.NextDue) {
			batch.NextDue = next
		}
	}
	return nil
}

// room returns an empty slice with room for the jobs that are queued now, so that
// it seldom has to grow; nil when there are none.
func (s *Store) room(want []store.Want) []store.Claim {
	n := s.ready(want)
	if n == 0 {
		return nil
	}
	return make([]store.Claim, 0, n)
}

// ready counts the queued jobs that are wanted.
func (s *Store) ready(want []store.Want) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, w := range want {
		if q := s.queues[w.Queue]; q != nil {
			n += max(min(w.Max, q.line.len), 0)
		}
	}
	return n
}

// claimFrom takes up to limit jobs, first those that are queued already, then
// those that are due. Due jobs that are left over are queued.
func (x *session) claimFrom(q *queue, limit int, batch *store.Batch, now moment) error {
	for range limit {
		r, err := x.store.next(q, now)
		if r == nil || err != nil {
			return err
		}
		if err := x.take(r, now); err != nil {
			return err
		}
		batch.Claims = append(batch.Claims, store.Claim{
			Ref:      store.Ref{ID: r.id, Claim: r.claim},
			Job:      r.view(),
			Request:  r.payload[:r.requestSize],
			Envelope: r.payload[r.requestSize:],
		})
	}
	for range queuePerClaim {
		r := q.due(now)
		if r == nil {
			return nil
		}
		if err := x.store.move(r, destination{state: store.Queued}, now); err != nil {
			return err
		}
	}
	return nil
}

// next returns the job at the head of the queue; when none is queued, the one
// that is due first; nil when there is neither.
func (s *Store) next(q *queue, now moment) (*record, error) {
	if q.line.first != nil {
		return q.line.first, nil
	}
	r := q.due(now)
	if r == nil {
		return nil, nil
	}
	return r, s.move(r, destination{state: store.Queued, passing: true}, now)
}

// take begins the next attempt of a queued job.
func (x *session) take(r *record, now moment) error {
	if err := x.store.move(r, destination{state: store.InProgress, holder: x}, now); err != nil {
		return err
	}
	r.claim++
	r.attempt++
	r.started = now.stamp
	r.progress = nil
	return nil
}
