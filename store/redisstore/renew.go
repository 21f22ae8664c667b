package redisstore

import (
	"context"
	"errors"
	"sync"

	"github.com/asyncendpoints/gin-async/store"
)

// Renew implements store.Session. The jobs of a partition that cannot be reached stay
// in Held until the lease there has run out; a partition that was lost is joined anew.
func (x *session) Renew(ctx context.Context) (store.Renewal, error) {
	var aside sync.WaitGroup
	aside.Go(func() { x.askAgain(ctx) })
	seats := x.taken()
	renewals := make([]store.Renewal, len(seats))
	errs := each(len(seats), func(i int) error {
		return x.store.partitions[i].inTime(ctx, x.lease/6, func(ctx context.Context) (err error) {
			if seats[i] == nil {
				return x.sit(ctx, i)
			}
			renewals[i], err = seats[i].renew(ctx)
			return err
		})
	})
	aside.Wait()
	if errs.lost() {
		x.ear.close(ctx, x.store.hub)
		return store.Renewal{}, store.ErrLeaseLost
	}
	if errs.all() {
		return store.Renewal{}, errs.first()
	}
	var all store.Renewal
	for i, err := range errs {
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			x.seats[i].CompareAndSwap(seats[i], nil) // the next renewal sits down again
		case err != nil && seats[i] != nil:
			renewals[i].Held = seats[i].remembered()
		}
		all.Held = append(all.Held, renewals[i].Held...)
		all.Stop = append(all.Stop, renewals[i].Stop...)
	}
	// Without hints the session works too, only later. The next renewal tries again.
	_ = x.listen(ctx)
	return all, nil
}

// taken returns the seats there are now, one for each partition that is read; nil: none.
func (x *session) taken() []*seat {
	seats := make([]*seat, x.store.served.Load())
	for i := range seats {
		seats[i] = x.seats[i].Load()
	}
	return seats
}

// askAgain looks for partitions that could not be found before. The session sits down
// there by its next renewal.
func (x *session) askAgain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, x.lease/6)
	defer cancel()
	x.store.askAgain(ctx)
}
