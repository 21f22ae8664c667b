package rows

import (
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// inMemory: jobs a second from submission to kept result without Redis.
func inMemory() []Row {
	var rows []Row
	for _, level := range []struct {
		name, what string
		kind       contestant.Kind
	}{
		{"gin", "from Gin's handler to the kept result", contestant.GinAsyncMemory},
		{"worker", "without Gin: store and worker", contestant.WorkerMemory},
	} {
		for _, n := range concurrencies() {
			rows = append(rows, Row{
				Name: at("jobs-memory/"+level.name, n), Unit: "jobs/s", Goal: table.AtLeast(300_000),
				What:    fmt.Sprintf("jobs in the memory of the process, %s; %d submit and %d run at once", level.what, n, n),
				Measure: map[table.Column]Measure{table.Ours: flowOf(level.kind, n, jobsPerSecond)},
			})
		}
	}
	return rows
}
