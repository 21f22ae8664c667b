package storetest

import (
	"sync"

	"github.com/stretchr/testify/assert"
)

// gather calls f with 0 to n-1 on as many goroutines, started together, and
// returns what they returned. Errors fail the test.
func gather[T any](h *harness, n int, f func(i int) (T, error)) []T {
	h.Helper()
	results := make([]T, n)
	errs := make([]error, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			results[i], errs[i] = f(i)
		})
	}
	close(start)
	done.Wait()
	for _, err := range errs {
		assert.NoError(h, err)
	}
	return results
}

func notEmpty(texts []string) []string {
	var kept []string
	for _, text := range texts {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept
}
