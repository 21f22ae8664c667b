package rows

import (
	"slices"

	"github.com/asyncendpoints/gin-async/bench/table"
)

// cpu: what a job costs of the processor, in the process that submits and runs it and in
// Redis, and the part of Redis in it.
func cpu() []Row {
	return slices.Concat(
		flowRows("cpu", "µs/job", "processor time, of the process and of Redis, of a job", table.AtMost(40), cpuPerJob),
		flowRows("cpu-redis", "µs/job", "processor time, of Redis alone, of a job", table.Goal{}, redisCPUPerJob),
	)
}
