package rows

import (
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// inMemory: jobs a second from submission to kept result without Redis, and what each
// costs: the goal of the first is met when that is low enough.
func inMemory() []Row {
	var rows []Row
	for _, value := range []struct {
		name, unit, what string
		goal             table.Goal
		of               func(lab.Flow) float64
	}{
		{"jobs-memory", "jobs/s", "jobs", table.AtLeast(300_000), jobsPerSecond},
		{"cpu-memory", "µs/job", "processor time per job", table.Goal{}, cpuPerJob},
	} {
		for _, level := range []struct {
			name, what string
			kind       contestant.Kind
		}{
			{"gin", "from Gin's handler to the kept result", contestant.GinAsyncMemory},
			{"worker", "without Gin: store and worker", contestant.WorkerMemory},
		} {
			for _, n := range concurrencies() {
				rows = append(rows, Row{
					Name: at(value.name+"/"+level.name, n), Unit: value.unit, Goal: value.goal,
					What:    fmt.Sprintf("%s in the memory of the process, %s; %d submit and %d run at once", value.what, level.what, n, n),
					Measure: map[table.Column]Measure{table.Ours: flowOf(level.kind, n, value.of)},
				})
			}
		}
	}
	return rows
}
