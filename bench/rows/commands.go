package rows

import "github.com/asyncendpoints/gin-async/bench/table"

// commands: how many commands Redis executes for a job, those that scripts call included.
func commands() []Row {
	return flowRows("commands", "cmds/job", "commands in Redis, those in scripts included, of a job", table.Goal{}, commandsPerJob)
}
