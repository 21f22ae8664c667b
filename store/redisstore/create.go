package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// creation is a job on its way to Redis.
type creation struct {
	id     string
	key    string       // of the record
	job    store.NewJob // without the request
	record string       // without the times
	delay  int64        // milliseconds
	// The partition's shares of the bounds; 0: none.
	bound, ownerBound int
}

func (c creation) size() int { return len(c.record) + 128 }

// created is what became of it.
type created struct {
	job   store.Job
	isNew bool
	err   error
}

// Create implements store.Jobs. Jobs that are created at the same time go to Redis
// together. The store has no bound of its own; MaxWaiting and MaxWaitingOfOwner are divided
// among the partitions, rounded up, so that a job with a key, which has its partition, can
// be refused a little before they are reached. With WithReplicas there is one more error:
// ErrNotReplicated.
func (s *Store) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	if s.err != nil {
		return store.Job{}, false, s.err
	}
	key := ""
	if job.Key != "" {
		key = digest(job.Key)
	}
	record, err := newRecord(&job, key)
	if err != nil {
		return store.Job{}, false, err
	}
	job.Request, job.Envelope = nil, nil // the caller may reuse them
	c := creation{job: job, record: record, delay: milliseconds(job.Delay)}
	c.bound, c.ownerBound = s.share(job.MaxWaiting), s.share(job.MaxWaitingOfOwner)
	if key != "" {
		return s.createIn(ctx, s.forKey(job.Key), c)
	}
	if s.own == 1 {
		return s.createIn(ctx, &s.partitions[0], c)
	}
	err = store.ErrFull
	for _, p := range s.places() {
		var stored store.Job
		var isNew bool
		// A partition can be full while others are not. After any other error the job may
		// be stored, and must not be stored again.
		if stored, isNew, err = s.createIn(ctx, p, c); !errors.Is(err, store.ErrFull) && !errors.Is(err, store.ErrOwnerFull) {
			return stored, isNew, err
		}
	}
	return store.Job{}, false, err
}

// share is a partition's part of a bound; 0 for no bound.
func (s *Store) share(bound int) int {
	return (max(bound, 0) + s.own - 1) / s.own
}

func (s *Store) createIn(ctx context.Context, p *partition, c creation) (store.Job, bool, error) {
	c.id = p.newID()
	c.key = p.record(c.id)
	result, err := p.creates.do(ctx, c)
	if err == nil {
		err = result.err
	}
	return result.job, result.isNew, err
}

// sendCreates stores jobs in one call.
func (p *partition) sendCreates(ctx context.Context, jobs []*member[creation, created]) error {
	c := p.call(p.store.scripts.create, len(jobs), 4*len(jobs))
	for _, m := range jobs {
		c.args = append(c.args, &m.in.key)
	}
	for _, m := range jobs {
		c.args = append(c.args, &m.in.record, &m.in.delay, &m.in.bound, &m.in.ownerBound)
	}
	reply, err := p.sendReplicated(ctx, c)
	if err != nil && !errors.Is(err, ErrNotReplicated) {
		return err
	}
	answers, some := reply.([]any)
	at, all := reply.(int64)
	if !all && (!some || len(answers) != len(jobs)) {
		return errReply("create", reply)
	}
	for i, m := range jobs {
		if all {
			m.out = created{job: m.in.fresh(at), isNew: true}
		} else {
			m.out = m.in.answer(answers[i])
		}
	}
	if err != nil {
		p.withdraw(ctx, jobs, err)
	}
	return nil
}

// answer reads what became of one job.
func (c *creation) answer(reply any) created {
	switch value := reply.(type) {
	case int64:
		return created{job: c.fresh(value), isNew: true}
	case string:
		switch value {
		case "full":
			return created{err: store.ErrFull}
		case "owner full":
			return created{err: store.ErrOwnerFull}
		case "reused":
			return created{err: store.ErrKeyReused}
		}
	case []any:
		if len(value) > 0 {
			id, _ := value[0].(string)
			job, err := jobOf("create", id, value[1:])
			return created{job: job, isNew: id == c.id, err: err}
		}
	}
	return created{err: errReply("create", reply)}
}

// fresh is the job as it was stored.
func (c *creation) fresh(createdMillis int64) store.Job {
	at := time.UnixMilli(createdMillis).UTC()
	job := store.Job{
		ID: c.id, Route: c.job.Route, Queue: c.job.Queue, Owner: c.job.Owner,
		State: store.Queued, Version: 1, MaxAttempts: max(c.job.MaxAttempts, 1),
		CreatedAt: at, ReadyAt: at,
	}
	if delay := c.delay; delay > 0 {
		job.State = store.Scheduled
		job.ReadyAt = at.Add(time.Duration(delay) * time.Millisecond)
		job.DueAt = job.ReadyAt
	}
	return job
}

// digest stands for an idempotency key: keys may be long, and secret.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func errReply(step string, reply any) error {
	return fmt.Errorf("redisstore: %s: an answer that no version of this package gives: %.100v", step, reply)
}
