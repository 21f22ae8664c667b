package rows

import "github.com/asyncendpoints/gin-async/bench/table"

// seen: how long it takes from the end of a handler, through the write of its result,
// until a watcher in another process has read that the job is over.
func seen() []Row {
	return waitRows("seen", "from the end of the handler until a watcher in another process has read that the job is over; "+
		"asynq: the Inspector asked every 100 ms",
		map[float64]table.Goal{},
		func(w waits) []float64 { return w.seen })
}
