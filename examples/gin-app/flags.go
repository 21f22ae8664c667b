package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
)

// config is what the flags and the environment come to.
type config struct {
	addr         string
	concurrency  int
	lease, grace time.Duration
	workers      bool
	redis        string
}

// envPrefix and a flag's name in capitals make the variable that stands for it.
const envPrefix = "GINAPP_"

var errNoRedis = errors.New("-redis: not yet: this version keeps jobs in memory, leave it out")

// parseConfig reads args, and for flags not among them the environment. It writes
// the usage to out when asked for it, and returns flag.ErrHelp then.
func parseConfig(args []string, lookupEnv func(string) (string, bool), out io.Writer) (config, error) {
	var cfg config
	flags := newFlagSet(&cfg)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		printUsage(flags, out)
		return config{}, err
	}
	if err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	if err := applyEnv(flags, lookupEnv); err != nil {
		return config{}, err
	}
	return cfg, cfg.validate()
}

func newFlagSet(cfg *config) *flag.FlagSet {
	flags := flag.NewFlagSet("gin-app", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error, in one line
	flags.StringVar(&cfg.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes a free one")
	flags.IntVar(&cfg.concurrency, "concurrency", 16, "how many jobs run at once")
	flags.DurationVar(&cfg.lease, "lease", 10*time.Second, "how long jobs stay with a worker that is not heard of")
	flags.DurationVar(&cfg.grace, "grace", 30*time.Second, "how long running jobs may take to finish on SIGTERM")
	flags.BoolVar(&cfg.workers, "workers", true, "run jobs; with false only accept and show them")
	flags.StringVar(&cfg.redis, "redis", "", "`URL` of the Redis that keeps the jobs: not yet in this version")
	return flags
}

func printUsage(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprintf(out, "Usage: gin-app [flags]\n\nEach flag can be set by the environment too: -addr by %sADDR. The flag wins.\n\n", envPrefix)
	flags.SetOutput(out)
	flags.PrintDefaults()
}

// applyEnv sets the flags that were not given from the environment. An empty
// variable is as good as none.
func applyEnv(flags *flag.FlagSet, lookupEnv func(string) (string, bool)) error {
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		name := envPrefix + strings.ToUpper(f.Name)
		value, _ := lookupEnv(name)
		if given[f.Name] || value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("invalid value %q for %s: %w", value, name, err))
		}
	})
	return errors.Join(errs...)
}

// validate checks what the type of a flag does not.
func (c config) validate() error {
	if c.redis != "" {
		return errNoRedis
	}
	var errs []error
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		errs = append(errs, fmt.Errorf("-addr: %w", err))
	}
	if c.concurrency < 1 {
		errs = append(errs, fmt.Errorf("-concurrency must be at least 1, not %d", c.concurrency))
	}
	if c.lease < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("-lease must be at least 100ms, not %v", c.lease))
	}
	if c.grace < time.Millisecond {
		errs = append(errs, fmt.Errorf("-grace must be at least 1ms, not %v", c.grace))
	}
	return errors.Join(errs...)
}

// options are the Manager's for this configuration.
func (c config) options() []ginasync.Option {
	opts := []ginasync.Option{
		ginasync.WithConcurrency(c.concurrency),
		ginasync.WithLease(c.lease),
		ginasync.WithGrace(c.grace),
	}
	if !c.workers {
		opts = append(opts, ginasync.WithoutWorkers())
	}
	return opts
}
