package memstore

import (
	"context"
	"slices"

	"github.com/asyncendpoints/gin-async/store"
)

// Create implements store.Jobs. The store's own bound is that of WithMaxBytes.
func (s *Store) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	if err := ctx.Err(); err != nil {
		return store.Job{}, false, err
	}
	fresh := newRecord(s.newID(), &job)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.expire(expirePerCall, now)
	if holder := s.holderOf(job.Key, now); holder != nil {
		if holder.keyed.fingerprint != job.Fingerprint {
			return store.Job{}, false, store.ErrKeyReused
		}
		return holder.view(), false, nil
	}
	if err := s.admit(fresh.size(), &job); err != nil {
		return store.Job{}, false, err
	}
	r := s.spare.take()
	*r = fresh
	s.add(r, &job, now)
	return r.view(), true, nil
}

// newID draws an id. It does not need the lock.
func (s *Store) newID() string {
	source := s.ids.Get().(*store.IDSource)
	defer s.ids.Put(source)
	return source.New(partition)
}

// newRecord copies what the caller may reuse; it needs no lock.
func newRecord(id string, job *store.NewJob) record {
	r := record{
		id:          id,
		route:       job.Route,
		maxAttempts: max(job.MaxAttempts, 1),
		retention:   bounded(job.Retention),
		payload:     slices.Concat(job.Request, job.Envelope),
		requestSize: len(job.Request),
	}
	if job.Key != "" {
		r.keyed = &reservation{job.Key, job.Fingerprint}
	}
	return r
}

// holderOf returns the record that holds an idempotency key, or nil.
func (s *Store) holderOf(key string, now moment) *record {
	if key == "" {
		return nil
	}
	r := s.keys[key]
	if r == nil {
		return nil
	}
	return s.find(r.id, now)
}

// admit makes room for a new job of that size, if its bounds allow one more. Finished
// jobs are dropped only if that is enough.
func (s *Store) admit(size int64, job *store.NewJob) error {
	if job.MaxWaitingOfOwner > 0 && s.waitingOf(job.Owner) >= job.MaxWaitingOfOwner {
		return store.ErrOwnerFull
	}
	if job.MaxWaiting > 0 && s.counts.waiting() >= job.MaxWaiting {
		return store.ErrFull
	}
	if s.bytes-s.archive.bytes+size > s.maxBytes {
		return store.ErrFull
	}
	s.trim(size)
	return nil
}

// add enters a new record everywhere it belongs.
func (s *Store) add(r *record, job *store.NewJob, now moment) {
	s.lastSeq++
	r.seq = s.lastSeq
	r.version = 1
	s.jobs.add(r)
	if r.keyed != nil {
		s.keys[r.keyed.key] = r
	}
	s.joinOwner(r, job.Owner)
	s.joinQueue(r, job.Queue)

	ready := now.add(bounded(job.Delay))
	r.created, r.ready = now.stamp, ready.stamp
	to := destination{state: store.Queued}
	if job.Delay > 0 {
		to = destination{state: store.Scheduled, due: ready}
	}
	s.putIn(r, to, now)
}
