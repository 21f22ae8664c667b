package redistest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// failing is a test whose failure is what another test wants to see.
type failing struct {
	testing.TB
	failure string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failureOf returns with which words a test fails.
func failureOf(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	if f.failure == "" {
		t.Fatal("the test did not fail")
	}
	return f.failure
}

// lookPath finds a program in the directories of a path that is not in the environment.
func lookPath(t *testing.T, name, path string) string {
	t.Helper()
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	t.Fatalf("no %s in %s", name, path)
	return ""
}
