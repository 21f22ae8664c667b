package store

import "context"

// Local is what a store implements that keeps jobs in the memory of this process
// only. Any other store is taken to send what it gets elsewhere: requests are then
// stored without credentials, unless they are encrypted.
type Local interface {
	// Local reports whether no job ever leaves this process.
	Local() bool
}

// Advisor is what a store implements that can look at its surroundings.
type Advisor interface {
	// Advice returns a sentence for people about each thing around the store that
	// endangers the jobs in it, such as a server that drops data when its memory is
	// full; none when there is nothing to say, or no way to look. It changes nothing.
	Advice(ctx context.Context) []string
}

// Configured is what a store implements whose constructor returns no error.
type Configured interface {
	// Err returns every mistake in how the store was made, joined; nil: none. A store
	// with a mistake returns it from all calls.
	Err() error
}
