package rows

import "github.com/asyncendpoints/gin-async/bench/table"

// pickup: how long it takes from just before a submission until an idle worker in another
// process has begun to run the job.
func pickup() []Row {
	return waitRows("pickup", "from the submission to the start of the handler in an idle worker of another process",
		map[float64]table.Goal{50: table.AtMost(1), 99: table.AtMost(5)},
		func(w waits) []float64 { return w.pickup })
}
