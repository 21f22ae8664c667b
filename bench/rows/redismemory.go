package rows

import (
	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// redisMemory: what a job takes in Redis.
func redisMemory() []Row {
	row := func(name, what string, goal table.Goal, part func(footprint) float64) Row {
		return Row{
			Name: name, Unit: "bytes/job", What: what, Goal: goal, Long: true,
			Measure: map[table.Column]Measure{
				table.Ours: weight(contestant.GinAsync, part), table.Asynq: weight(contestant.AsynqGin, part),
			},
		}
	}
	return []Row{
		row("memory-redis/queued", "memory of Redis for a job that waits (used_memory)", table.Goal{},
			func(f footprint) float64 { return f.redisQueued }),
		row("memory-redis/kept", "memory of Redis for a job that is over, with its result (used_memory)", table.AtMost(1100),
			func(f footprint) float64 { return f.redisKept }),
	}
}
