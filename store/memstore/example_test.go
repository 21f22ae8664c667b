package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// A job goes from its creation to its result.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	jobs := memstore.New(memstore.WithMaxFinished(1000))

	created, _, err := jobs.Create(ctx, store.NewJob{
		Route: "POST /reports", Queue: "default", MaxAttempts: 4,
		Retention: time.Hour, Request: []byte("a request"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(created.State)

	session, err := jobs.Join(ctx, "worker-1", 10*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	batch, err := session.Claim(ctx, []store.Want{{Queue: "default", Max: 16}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, claim := range batch.Claims {
		fmt.Printf("%s, attempt %d: %s\n", claim.Job.State, claim.Job.Attempt, claim.Request)
		state, err := session.Settle(ctx, claim.Ref, store.Complete(store.Result{
			Response: store.Response{Status: 200}, Data: []byte("a response"),
		}))
		fmt.Println(state, err)
	}

	_, data, err := jobs.Result(ctx, created.ID)
	fmt.Println(string(data), err)
	fmt.Println(session.Leave(ctx))
	// Output:
	// queued
	// in_progress, attempt 1: a request
	// completed <nil>
	// a response <nil>
	// <nil>
}
