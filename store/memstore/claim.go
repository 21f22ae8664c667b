package memstore

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// queuePerClaim bounds how many due jobs a claim queues beyond those it takes.
// NextDue is 0 while there are more.
const queuePerClaim = 1024

// smallPayload is up to how many bytes of request and envelope are small.
const smallPayload = 2048

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
	copyPayloads(batch.Claims)
	return batch, nil
}

// copyPayloads replaces the store's bytes by copies. Those of small jobs share one
// block of memory, which is kept until the last of them is done with; a large job
// gets its own.
func copyPayloads(claims []store.Claim) {
	small := 0
	for i := range claims {
		if n := payloadSize(&claims[i]); n <= smallPayload {
			small += n
		}
	}
	shared := make([]byte, small)
	for i := range claims {
		c := &claims[i]
		if n := payloadSize(c); n > smallPayload {
			own := make([]byte, n)
			c.Request, own = copyInto(own, c.Request)
			c.Envelope, _ = copyInto(own, c.Envelope)
			continue
		}
		c.Request, shared = copyInto(shared, c.Request)
		c.Envelope, shared = copyInto(shared, c.Envelope)
	}
}

func payloadSize(c *store.Claim) int { return len(c.Request) + len(c.Envelope) }

// copyInto copies data to the front of memory and returns the copy, which cannot
// grow into what follows it, and the rest of memory.
func copyInto(memory, data []byte) (copied, rest []byte) {
	n := copy(memory, data)
	return memory[:n:n], memory[n:]
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
	if r := q.line.first(); r != nil {
		return r, nil
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
