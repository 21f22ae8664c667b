package worker_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/worker"
)

// A worker runs the jobs of one route until it is shut down.
func Example() {
	ctx := context.Background()
	jobs := memstore.New()
	done := make(chan struct{})

	greet := func(ctx context.Context, claim store.Claim) worker.Report {
		defer close(done)
		attempt, _ := worker.FromContext(ctx)
		fmt.Printf("attempt %d of %d: hello, %s\n", attempt.Number, attempt.Max, claim.Request)
		return worker.Report{Result: &store.Result{Response: store.Response{Status: 200}}}
	}
	w, err := worker.New(worker.Config{
		Store:  jobs,
		Queues: map[string]int{"default": 4},
		Routes: func(name string) (worker.Route, bool) {
			return worker.Route{Handle: greet}, name == "POST /greetings"
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	job, _, err := jobs.Create(ctx, store.NewJob{
		Route: "POST /greetings", Queue: "default", MaxAttempts: 3, Request: []byte("Ada"), Retention: time.Hour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-done
	if err := w.Shutdown(ctx); err != nil { // waits for the attempt to be settled
		fmt.Println(err)
	}
	job, _ = jobs.Get(ctx, job.ID)
	fmt.Println(job.State)
	// Output:
	// attempt 1 of 3: hello, Ada
	// completed
}

// Delays grow with the number of the attempt that failed.
func ExampleBackoff_Delay() {
	backoff := worker.DefaultBackoff()
	backoff.Jitter = 0
	for attempt := 1; attempt <= 4; attempt++ {
		fmt.Println(backoff.Delay(attempt))
	}
	// Output:
	// 2s
	// 4s
	// 8s
	// 16s
}
