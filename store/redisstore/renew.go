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
	renewals := make([]store.Renewal, len(x.seats))
	errs := x.each(func(i int) (err error) {
		seat := x.seats[i].Load()
		if seat == nil {
			return x.sit(ctx, i)
		}
		ctx, cancel := x.store.patience(ctx, x.lease/6)
		defer cancel()
		renewals[i], err = seat.renew(ctx)
		return err
	})
	if errs.lost() {
		x.ear.close(ctx, x.store.hub)
		return store.Renewal{}, store.ErrLeaseLost
	}
	if errs.all() {
		return store.Renewal{}, errs.first()
	}
	var all store.Renewal
	for i, err := range errs {
		seat := x.seats[i].Load()
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			x.seats[i].Store(nil) // the next renewal sits down again
		case err != nil && seat != nil:
			renewals[i].Held = seat.remembered()
		}
		all.Held = append(all.Held, renewals[i].Held...)
		all.Stop = append(all.Stop, renewals[i].Stop...)
	}
	// Without hints the session works too, only later. The next renewal tries again.
	_ = x.listen(ctx)
	return all, nil
}

// outcomes are the errors of the seats, in their order.
type outcomes []error

// each calls visit for all seats, at the same time if there are several.
func (x *session) each(visit func(i int) error) outcomes {
	errs := make(outcomes, len(x.seats))
	var visits sync.WaitGroup
	for i := 1; i < len(x.seats); i++ {
		visits.Go(func() { errs[i] = visit(i) })
	}
	errs[0] = visit(0)
	visits.Wait()
	return errs
}

// all reports whether all seats failed.
func (o outcomes) all() bool {
	for _, err := range o {
		if err == nil {
			return false
		}
	}
	return true
}

// lost reports whether all seats are lost.
func (o outcomes) lost() bool {
	for _, err := range o {
		if !errors.Is(err, store.ErrLeaseLost) {
			return false
		}
	}
	return true
}

// first is the first error that is not a lost lease, which says less than any other.
func (o outcomes) first() error {
	for _, err := range o {
		if err != nil && !errors.Is(err, store.ErrLeaseLost) {
			return err
		}
	}
	return store.ErrLeaseLost
}
