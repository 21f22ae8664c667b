package chaos_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or a worker process in the processes that the tests start.
func TestMain(m *testing.M) {
	if config, ok := os.LookupEnv(processConfigVariable); ok {
		os.Exit(runProcess(config))
	}
	goleak.VerifyTestMain(m)
}
