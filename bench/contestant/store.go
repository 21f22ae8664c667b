package contestant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// bareStore is the store alone: jobs are claimed and settled by a loop that does nothing
// else. Its lease outlasts the measurement and is not renewed.
type bareStore struct {
	store   store.Store
	session store.Session
	work    Work
	slots   chan struct{}
	stop    context.CancelFunc
	running sync.WaitGroup
	shut    func() error
}

const storeLease = 30 * time.Minute

func openStore(ctx context.Context, setup Setup, work Work) (*bareStore, error) {
	kept, shut := ourStore(setup, work)
	session, err := kept.Join(ctx, "bench", storeLease)
	if err != nil {
		return nil, errors.Join(err, shut())
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &bareStore{
		store: kept, session: session, work: work, shut: shut, stop: cancel,
		slots: make(chan struct{}, setup.Concurrency),
	}
	b.running.Go(func() { b.dispatch(ctx) })
	return b, nil
}

func (b *bareStore) Submit(ctx context.Context, body []byte) (string, error) {
	return create(ctx, b.store, body)
}

// dispatch claims for the slots that are free, and rests when there is nothing to claim.
func (b *bareStore) dispatch(ctx context.Context) {
	for {
		select {
		case b.slots <- struct{}{}: // one is free: now all that are
			<-b.slots
		case <-ctx.Done():
			return
		}
		batch, err := b.session.Claim(ctx, []store.Want{{Queue: queueName, Max: cap(b.slots) - len(b.slots)}})
		if err != nil {
			complain(ctx, "claim", err)
			return
		}
		for _, claim := range batch.Claims {
			b.slots <- struct{}{}
			b.running.Go(func() { b.settle(ctx, claim) })
		}
		if len(batch.Claims) > 0 {
			continue
		}
		select {
		case <-b.session.Arrived():
		case <-ctx.Done():
			return
		}
	}
}

func (b *bareStore) settle(ctx context.Context, claim store.Claim) {
	defer func() { <-b.slots }()
	outcome := store.Complete(resultOf(b.work.Do(ctx, claim.Request)))
	if _, err := b.session.Settle(ctx, claim.Ref, outcome); err != nil {
		complain(ctx, "settle", err)
	}
}

// complain tells of an error that is not the end of the measurement.
func complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	}
}

func (b *bareStore) Close(ctx context.Context) error {
	b.stop()
	b.running.Wait()
	return errors.Join(b.session.Leave(ctx), b.shut())
}
