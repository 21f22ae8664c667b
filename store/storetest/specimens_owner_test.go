package storetest_test

import (
	"context"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// checkedOwner looks at an owner's bound first and stores the job afterwards.
func checkedOwner() store.Store { return racyOwner{memstore.New()} }

type racyOwner struct{ store.Store }

func (s racyOwner) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	bound := job.MaxWaitingOfOwner
	if job.MaxWaitingOfOwner = 0; bound == 0 || job.Owner == "" {
		return s.Store.Create(ctx, job)
	}
	page, err := s.List(ctx, store.Query{Owner: job.Owner, States: []store.State{store.Queued, store.Scheduled}})
	if err != nil {
		return store.Job{}, false, err
	}
	if len(page.Jobs) >= bound {
		return store.Job{}, false, store.ErrOwnerFull
	}
	<-time.After(time.Millisecond) // long enough for another to come between
	return s.Store.Create(ctx, job)
}

// countedOnce counts what an owner submits, and not what becomes of it.
func countedOnce() store.Store {
	return &countingOwner{Store: memstore.New(), submitted: map[string]int{}}
}

type countingOwner struct {
	store.Store
	mu        sync.Mutex
	submitted map[string]int
}

func (s *countingOwner) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound := job.MaxWaitingOfOwner
	job.MaxWaitingOfOwner = 0
	if bound > 0 && job.Owner != "" && s.submitted[job.Owner] >= bound {
		return store.Job{}, false, store.ErrOwnerFull
	}
	s.submitted[job.Owner]++
	return s.Store.Create(ctx, job)
}
