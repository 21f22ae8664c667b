package main

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// describe tells where this is measured.
func describe(ctx context.Context, l *lab.Lab) (table.Machine, error) {
	redis, err := l.RedisVersion(ctx)
	return table.Machine{CPU: processor(), Cores: runtime.NumCPU(), Go: runtime.Version(), Redis: redis}, err
}

// processor returns its name where the system tells it, else its kind.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
