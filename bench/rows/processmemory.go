package rows

import (
	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// processMemory: what a job takes on the heap of the process, with the store in memory and
// with the one in Redis.
func processMemory() []Row {
	row := func(name, what string, ours contestant.Kind, part func(footprint) float64) Row {
		return Row{
			Name: name, Unit: "bytes/job", What: what, Long: true,
			Measure: map[table.Column]Measure{table.Ours: weight(ours, part)},
		}
	}
	queued := func(f footprint) float64 { return f.processQueued }
	kept := func(f footprint) float64 { return f.processKept }
	rows := []Row{
		row("memory-process/queued", "heap of the process for a job that waits in memory", contestant.GinAsyncMemory, queued),
		row("memory-process/kept", "heap of the process for a job that is over, with its result, in memory", contestant.GinAsyncMemory, kept),
		row("memory-process/redis-queued", "heap of the process for a job that waits in Redis", contestant.GinAsync, queued),
		row("memory-process/redis-kept", "heap of the process for a job that is over, in Redis", contestant.GinAsync, kept),
	}
	rows[2].Measure[table.Asynq] = weight(contestant.AsynqGin, queued)
	rows[3].Measure[table.Asynq] = weight(contestant.AsynqGin, kept)
	return rows
}
