package redisstore

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

var _ store.Session = (*session)(nil)

// session is one worker process's lease: a seat in each partition. A seat that is
// lost, or whose server is away, takes only its own jobs with it; the session is lost
// with the last seat.
type session struct {
	store              *Store
	worker             string
	lease              time.Duration
	seats              []atomic.Pointer[seat] // by partition; nil: none there now
	arrived, stopAsked chan struct{}
	ear                ear
	turn               atomic.Int32 // of the seats, to be asked first
}

// Join implements store.Workers. The value of each lock ends in the worker's name. One
// partition is enough to join: Renew joins the others when they can be reached.
func (s *Store) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	if err := s.discover(ctx); err != nil {
		return nil, err
	}
	x := &session{
		store: s, worker: worker, lease: max(lease, time.Millisecond),
		seats:   make([]atomic.Pointer[seat], len(s.all())),
		arrived: make(chan struct{}, 1), stopAsked: make(chan struct{}, 1),
	}
	errs := x.each(func(i int) error { return x.sit(ctx, i) })
	if errs.all() {
		return nil, errs.first()
	}
	if err := x.listen(ctx); err != nil && ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), x.Leave(context.WithoutCancel(ctx)))
	}
	return x, nil
}

// discover finds partitions that other processes use.
func (s *Store) discover(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	_, err := await(ctx, s, func(ctx context.Context) (struct{}, error) {
		for i := len(letters) - 1; i >= int(s.served.Load()); i-- {
			n, err := s.client.Exists(ctx, s.partitions[i].key).Result()
			if err != nil {
				return struct{}{}, err
			}
			if n > 0 {
				s.served.Store(int32(i + 1))
			}
		}
		return struct{}{}, nil
	})
	return err
}

// sit takes a new seat in a partition.
func (x *session) sit(ctx context.Context, i int) error {
	fresh, err := x.store.partitions[i].join(ctx, x.worker, x.lease)
	if err != nil {
		return err
	}
	x.seats[i].Store(fresh)
	return nil
}

// seatOf returns the seat that a job belongs to. Errors: ErrLeaseLost, when there is
// none.
func (x *session) seatOf(id string) (*seat, error) {
	if id != "" {
		if i := strings.IndexByte(letters, id[0]); i >= 0 && i < len(x.seats) {
			if seat := x.seats[i].Load(); seat != nil {
				return seat, nil
			}
		}
	}
	return nil, store.ErrLeaseLost
}

// Settle implements store.Session. Attempts that end at the same time go to Redis
// together.
func (x *session) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	seat, err := x.seatOf(ref.ID)
	if err != nil {
		return "", err
	}
	return seat.settle(ctx, ref, outcome)
}

// Report implements store.Session.
func (x *session) Report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	seat, err := x.seatOf(ref.ID)
	if err != nil {
		return err
	}
	return seat.report(ctx, ref, progress)
}

// Release implements store.Session.
func (x *session) Release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	seat, err := x.seatOf(ref.ID)
	if err != nil {
		return err
	}
	return seat.release(ctx, ref, delay)
}

// Leave implements store.Session.
func (x *session) Leave(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.ear.close(ctx, x.store.hub)
	return errors.Join(x.each(func(i int) error {
		if seat := x.seats[i].Load(); seat != nil {
			return seat.leave(ctx)
		}
		return nil
	})...)
}

// Arrived implements store.Session.
func (x *session) Arrived() <-chan struct{} { return x.arrived }

// StopAsked implements store.Session.
func (x *session) StopAsked() <-chan struct{} { return x.stopAsked }
