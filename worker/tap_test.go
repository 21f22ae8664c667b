package worker_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// tap passes the calls of workers on to a store. A test may count them and, with
// around, delay or fail them.
type tap struct {
	store.Workers

	mu     sync.Mutex
	counts map[string]int
	wants  [][]store.Want
	around func(ctx context.Context, op string, call func() error) error
	// edit changes what a renewal says.
	edit func(*store.Renewal)
}

func newTap(inner store.Workers) *tap { return &tap{Workers: inner, counts: map[string]int{}} }

// set changes what happens to calls from now on.
func (p *tap) set(around func(ctx context.Context, op string, call func() error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.around = around
}

// fail makes the calls of an operation fail before they reach the store.
func (p *tap) fail(ops ...string) {
	p.set(func(_ context.Context, op string, call func() error) error {
		for _, bad := range ops {
			if op == bad {
				return errBroken
			}
		}
		return call()
	})
}

// editRenewals changes what renewals say from now on.
func (p *tap) editRenewals(edit func(*store.Renewal)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edit = edit
}

// once applies around to the first call of an operation.
func (p *tap) once(op string, around func(ctx context.Context, call func() error) error) {
	var done atomic.Bool
	p.set(func(ctx context.Context, is string, call func() error) error {
		if is == op && done.CompareAndSwap(false, true) {
			return around(ctx, call)
		}
		return call()
	})
}

func (p *tap) count(op string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[op]
}

// claimed lists what was asked for in each Claim call.
func (p *tap) claimed() [][]store.Want {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([][]store.Want(nil), p.wants...)
}

func (p *tap) do(ctx context.Context, op string, call func() error) error {
	p.mu.Lock()
	p.counts[op]++
	around := p.around
	p.mu.Unlock()
	if around == nil {
		return call()
	}
	return around(ctx, op, call)
}

func (p *tap) Join(ctx context.Context, name string, lease time.Duration) (s store.Session, err error) {
	err = p.do(ctx, "join", func() (err error) {
		s, err = p.Workers.Join(ctx, name, lease)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &tappedSession{Session: s, tap: p}, nil
}

func (p *tap) Reclaim(ctx context.Context, limit int) (n int, err error) {
	err = p.do(ctx, "reclaim", func() (err error) {
		n, err = p.Workers.Reclaim(ctx, limit)
		return err
	})
	return n, err
}

type tappedSession struct {
	store.Session
	tap *tap
}

func (s *tappedSession) Claim(ctx context.Context, want []store.Want) (batch store.Batch, err error) {
	s.tap.mu.Lock()
	s.tap.wants = append(s.tap.wants, want)
	s.tap.mu.Unlock()
	err = s.tap.do(ctx, "claim", func() (err error) {
		batch, err = s.Session.Claim(ctx, want)
		return err
	})
	if err != nil {
		return store.Batch{}, err
	}
	return batch, nil
}

func (s *tappedSession) Settle(ctx context.Context, ref store.Ref, o store.Outcome) (state store.State, err error) {
	err = s.tap.do(ctx, "settle", func() (err error) {
		state, err = s.Session.Settle(ctx, ref, o)
		return err
	})
	return state, err
}

func (s *tappedSession) Report(ctx context.Context, ref store.Ref, p store.Progress) error {
	return s.tap.do(ctx, "report", func() error { return s.Session.Report(ctx, ref, p) })
}

func (s *tappedSession) Release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	return s.tap.do(ctx, "release", func() error { return s.Session.Release(ctx, ref, delay) })
}

func (s *tappedSession) Renew(ctx context.Context) (renewal store.Renewal, err error) {
	err = s.tap.do(ctx, "renew", func() (err error) {
		renewal, err = s.Session.Renew(ctx)
		return err
	})
	s.tap.mu.Lock()
	defer s.tap.mu.Unlock()
	if s.tap.edit != nil {
		s.tap.edit(&renewal)
	}
	return renewal, err
}

func (s *tappedSession) Leave(ctx context.Context) error {
	return s.tap.do(ctx, "leave", func() error { return s.Session.Leave(ctx) })
}
