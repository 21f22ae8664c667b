package redisstore

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// turnPatience is how long one of several partitions may keep the others waiting.
	turnPatience = time.Second
	// leastPatience is what is left of it when others took their time already.
	leastPatience = turnPatience / 10
	// probeEvery is how often a process that has no workers asks for a server that is away.
	probeEvery = time.Second
)

// noteHealth remembers whether the server of the partition answered. Only a success ends
// an ailment. A call that met its deadline says nothing here, for it may be the caller's
// that was short: inTime knows.
func (p *partition) noteHealth(err error) {
	var answered redis.Error
	switch {
	case err == nil:
		p.ails.Store(false)
	case errors.As(err, &answered), errors.Is(err, context.Canceled), timedOut(err):
	default:
		p.ails.Store(true)
	}
}

// ailing reports whether the server did not answer when it was asked last. Renew and
// Reclaim ask all servers, and so find out when it is back.
func (p *partition) ailing() bool { return p.ails.Load() }

// inTime makes an attempt at a partition. If there are others it has a part of the time:
// patience, or half of what the caller has. When that was not enough, although the
// caller would have waited on, the partition is ailing.
func (p *partition) inTime(ctx context.Context, patience time.Duration, attempt func(context.Context) error) error {
	if p.store.served.Load() == 1 {
		return attempt(ctx)
	}
	own, cancel := part(ctx, patience)
	defer cancel()
	err := attempt(own)
	if timedOut(err) && !over(ctx) {
		p.ails.Store(true)
	}
	return err
}

// part gives a context of patience, at most half of what ctx has.
func part(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	return context.WithTimeout(ctx, patience)
}

// timedOut reports whether time ran out, by the deadline of a context or the client's own
// limits.
func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// over reports whether a context has ended; a connection may notice before its timer.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// create sends jobs to the partition. No caller's deadline is in ctx, so that a server
// that hangs can be told. On the way it finds out whether other servers are back.
func (p *partition) create(ctx context.Context, jobs []*member[creation, created]) error {
	p.store.probe(ctx)
	err := p.sendCreates(ctx, jobs)
	if timedOut(err) {
		p.ails.Store(true)
	} else {
		p.noteHealth(err)
	}
	return err
}

// probe asks, aside, those partitions for new jobs that did not answer when they were
// asked last. A process without workers would not learn otherwise that they are back.
func (s *Store) probe(ctx context.Context) {
	for i := range s.partitions[:s.own] {
		p := &s.partitions[i]
		before, now := p.probed.Load(), time.Now().UnixNano()
		if s.own == 1 || !p.ailing() || now-before < int64(probeEvery) || !p.probed.CompareAndSwap(before, now) {
			continue
		}
		go func() {
			ctx, cancel := context.WithTimeout(ctx, probeEvery)
			defer cancel()
			_, _ = p.needsRecovery(ctx) // what it says of the server is noted
		}()
	}
}
