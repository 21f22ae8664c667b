package redisstore

import (
	"context"
	"errors"
	"strings"
	"sync"
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
	seats              [len(letters)]slot // by partition
	arrived, stopAsked chan struct{}
	ear                ear
	turn               atomic.Int32 // of the seats, to be asked first
}

// slot is the place of a seat in a session; nil: none there now.
type slot struct {
	atomic.Pointer[seat]
	sitting sync.Mutex
}

// joinPatience is how long a server may take until Join leaves it to Renew, if there are
// others.
const joinPatience = 2 * turnPatience

// Join implements store.Workers. The value of each lock ends in the worker's name. One
// partition is enough to join: Renew joins the others when they can be reached.
func (s *Store) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.discover(ctx)
	x := &session{
		store: s, worker: worker, lease: max(lease, time.Millisecond),
		arrived: make(chan struct{}, 1), stopAsked: make(chan struct{}, 1),
	}
	errs := each(len(s.all()), func(i int) error {
		return s.partitions[i].inTime(ctx, joinPatience, func(ctx context.Context) error { return x.sit(ctx, i) })
	})
	if errs.all() {
		return nil, errs.first()
	}
	if err := x.listen(ctx); err != nil && ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), x.Leave(context.WithoutCancel(ctx)))
	}
	return x, nil
}

// sit takes a new seat in a partition, unless another call has.
func (x *session) sit(ctx context.Context, i int) error {
	slot := &x.seats[i]
	slot.sitting.Lock()
	defer slot.sitting.Unlock()
	if slot.Load() != nil {
		return nil
	}
	fresh, err := x.store.partitions[i].join(ctx, x.worker, x.lease)
	if err != nil {
		return err
	}
	slot.Store(fresh)
	return nil
}

// seatOf returns the seat that a job belongs to. Errors: ErrLeaseLost, when there is
// none.
func (x *session) seatOf(id string) (*seat, error) {
	if id != "" {
		if i := strings.IndexByte(letters, id[0]); i >= 0 {
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
	seats := x.taken()
	return errors.Join(each(len(seats), func(i int) error {
		if seats[i] == nil {
			return nil
		}
		return seats[i].leave(ctx)
	})...)
}

// Arrived implements store.Session.
func (x *session) Arrived() <-chan struct{} { return x.arrived }

// StopAsked implements store.Session.
func (x *session) StopAsked() <-chan struct{} { return x.stopAsked }
