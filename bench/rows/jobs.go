package rows

import "github.com/asyncendpoints/gin-async/bench/table"

// jobs: how many jobs a second go from submission to kept result.
func jobs() []Row {
	return flowRows("jobs", "jobs/s", "jobs", table.TimesAtLeast(10, table.Asynq), jobsPerSecond)
}
