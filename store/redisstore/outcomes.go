package redisstore

import (
	"errors"
	"sync"

	"github.com/asyncendpoints/gin-async/store"
)

// outcomes are the errors of the partitions, in their order.
type outcomes []error

// each visits n partitions, at the same time if there are several.
func each(n int, visit func(i int) error) outcomes {
	errs := make(outcomes, n)
	var visits sync.WaitGroup
	for i := 1; i < n; i++ {
		visits.Go(func() { errs[i] = visit(i) })
	}
	errs[0] = visit(0)
	visits.Wait()
	return errs
}

// all reports whether all failed.
func (o outcomes) all() bool {
	for _, err := range o {
		if err == nil {
			return false
		}
	}
	return true
}

// lost reports whether all leases are lost.
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
