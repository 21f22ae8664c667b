package redisserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Usage is what a server has used and done since it was started.
type Usage struct {
	CPU time.Duration
	// Commands counts what was executed, each command that a script called included,
	// without what connections and measurements need.
	Commands int64
}

// Usage asks for the usage.
func (s *Server) Usage(ctx context.Context) (Usage, error) {
	info, err := s.info(ctx, "cpu", "commandstats")
	if err != nil {
		return Usage{}, err
	}
	return usageOf(info)
}

// Memory returns how many bytes the server's data takes, with what it needs to find it.
func (s *Server) Memory(ctx context.Context) (int64, error) {
	info, err := s.info(ctx, "memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(info["used_memory"], 10, 64)
}

// Version returns the server's version.
func (s *Server) Version(ctx context.Context) (string, error) {
	info, err := s.info(ctx, "server")
	return info["redis_version"], err
}

// info returns the fields of some sections.
func (s *Server) info(ctx context.Context, sections ...string) (map[string]string, error) {
	text, err := s.client.Info(ctx, sections...).Result()
	if err != nil {
		return nil, err
	}
	return fieldsOf(text), nil
}

func fieldsOf(text string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func usageOf(info map[string]string) (Usage, error) {
	var usage Usage
	for _, name := range []string{"used_cpu_user", "used_cpu_sys"} {
		part, err := time.ParseDuration(info[name] + "s")
		if err != nil {
			return Usage{}, fmt.Errorf("%s of INFO: %w", name, err)
		}
		usage.CPU += part
	}
	for name, value := range info {
		command, ok := strings.CutPrefix(name, "cmdstat_")
		if !ok || isOverhead(command) {
			continue
		}
		_, rest, _ := strings.Cut(value, "calls=")
		calls, _, _ := strings.Cut(rest, ",")
		n, err := strconv.ParseInt(calls, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("%s of INFO: %w", name, err)
		}
		usage.Commands += n
	}
	return usage, nil
}

// isOverhead tells the commands of connections and measurements from those of jobs.
func isOverhead(command string) bool {
	switch command {
	case "info", "flushall", "hello", "auth", "select", "ping", "command":
		return true
	}
	return strings.HasPrefix(command, "client|") || strings.HasPrefix(command, "config|")
}
