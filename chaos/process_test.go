package chaos_test

// processConfigVariable is set in the environment of worker processes.
const processConfigVariable = "GINASYNC_CHAOS_PROCESS"

// runProcess is the life of a worker process. It returns the exit code.
func runProcess(string) int { return 2 }
