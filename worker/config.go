package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	defaultLease        = 10 * time.Second
	defaultPollInterval = time.Second
	defaultGrace        = 30 * time.Second
	shortestLease       = time.Millisecond
)

// Config says what a [Worker] does. New copies it; later changes have no effect,
// but the maps and functions must not be changed.
type Config struct {
	// Store is where the jobs are. Required.
	Store store.Workers
	// Routes looks up how to run the jobs of a route; false: this worker does not
	// know the route. It is called once for each claimed job, by many goroutines at
	// once, and must not block. Required.
	Routes func(name string) (Route, bool)
	// Name tells people which worker this is, in logs and in the store. It need not
	// be unique. Defaults to the host's name and the process id.
	Name string
	// Queues are the queues to claim from, each with the number of its jobs that run
	// at once; 0 leaves the queue out. At least one must have 1 or more.
	Queues map[string]int
	// Lease is how long the jobs of this worker stay its own when it stops
	// renewing: how soon others run them after a crash, and how long an outage of
	// the store may last without losing attempts. Defaults to 10 s; at least 1 ms.
	Lease time.Duration
	// PollInterval is how often an idle worker looks for jobs although the store
	// said nothing. Defaults to 1 s.
	PollInterval time.Duration
	// Grace is how long Shutdown lets running attempts go on. Defaults to 30 s;
	// negative: not at all.
	Grace time.Duration
	// Logger gets what happens to jobs and to the store. Defaults to slog.Default().
	Logger *slog.Logger
}

// checked returns the configuration with its defaults, or all its mistakes.
func (c Config) checked() (Config, error) {
	if err := c.mistakes(); err != nil {
		return Config{}, err
	}
	if c.Name == "" {
		c.Name = processName()
	}
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if c.PollInterval == 0 {
		c.PollInterval = defaultPollInterval
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

func (c Config) mistakes() error {
	var mistakes []error
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			mistakes = append(mistakes, fmt.Errorf("worker: "+format, args...))
		}
	}
	add(c.Store == nil, "Store is required")
	add(c.Routes == nil, "Routes is required")
	add(c.Lease != 0 && c.Lease < shortestLease, "Lease must be at least %v, not %v", shortestLease, c.Lease)
	add(c.PollInterval < 0, "PollInterval must not be negative: %v", c.PollInterval)
	slots := 0
	for queue, n := range c.Queues {
		add(queue == "", "Queues: a queue needs a name")
		add(n < 0, "Queues: %q must not run %d jobs at once", queue, n)
		slots += max(n, 0)
	}
	add(slots == 0, "Queues: at least one queue must run 1 job or more at once")
	return errors.Join(mistakes...)
}

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
