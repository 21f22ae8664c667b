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
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
)

// config is what the flags and the environment come to.
type config struct {
	addr         string
	concurrency  int
	lease, grace time.Duration
	workers      bool
	redisURL     string
	encryptKeys  string
	ownerHeader  string

	redis redisServers // what redisURL says
	keys  [][]byte     // what encryptKeys says; none: nothing is encrypted
}

const (
	envPrefix        = "GINAPP_"
	headerCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
)

// variable names the environment variable that stands for a flag.
func variable(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

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
	if err := cfg.resolve(); err != nil {
		return config{}, err
	}
	return cfg, nil
}

func newFlagSet(cfg *config) *flag.FlagSet {
	flags := flag.NewFlagSet("gin-app", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error, in one line
	flags.StringVar(&cfg.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes a free one")
	flags.IntVar(&cfg.concurrency, "concurrency", 16, "how many jobs run at once")
	flags.DurationVar(&cfg.lease, "lease", 10*time.Second, "how long jobs stay with a worker that is not heard of")
	flags.DurationVar(&cfg.grace, "grace", 30*time.Second, "how long running jobs may take to finish on SIGTERM")
	flags.BoolVar(&cfg.workers, "workers", true, "run jobs; with false only accept and show them")
	flags.StringVar(&cfg.redisURL, "redis", "", "`URL` of the Redis that keeps the jobs:\n"+
		"redis://host:6379 a single server\n"+
		"redis://host:6379?addr=host2:6379&addr=host3:6379 a Cluster\n"+
		"redis://host:26379?addr=host2:26379&master_name=mymaster a server that Sentinels watch\n"+
		"rediss:// is the same with TLS (default: jobs are in memory and end with the process)")
	flags.StringVar(&cfg.encryptKeys, "encrypt-key", "", "`key` of 32 bytes in base64 that encrypts stored requests and results;\n"+
		"several are separated by commas: the first encrypts, all decrypt (default: no encryption)")
	flags.StringVar(&cfg.ownerHeader, "owner-header", "", "`name` of the request header that says whose a job is; turns on GET /jobs.\n"+
		"Set it where clients cannot reach (default: who knows a job's id may follow it)")
	return flags
}

func printUsage(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprintf(out, "Usage: gin-app [flags]\n\nEach flag can be set by the environment too: -addr by %s, -encrypt-key by %s. "+
		"The flag wins.\n\n", variable("addr"), variable("encrypt-key"))
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
		name := variable(f.Name)
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

// resolve checks what the type of a flag does not, and reads what it leaves as text.
func (c *config) resolve() error {
	var errs []error
	var err error
	if c.redisURL != "" {
		if c.redis, err = parseRedis(c.redisURL); err != nil {
			errs = append(errs, fmt.Errorf("-redis: %w", err))
		}
	}
	if c.keys, err = parseKeys(c.encryptKeys); err != nil {
		errs = append(errs, fmt.Errorf("-encrypt-key: %w", err))
	}
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		errs = append(errs, fmt.Errorf("-addr: %w", err))
	}
	if strings.Trim(c.ownerHeader, headerCharacters) != "" {
		errs = append(errs, fmt.Errorf("-owner-header: %q is no name of a header", c.ownerHeader))
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

// options are the Manager's for this configuration. The client is that of c.redis.
func (c config) options(client redis.UniversalClient) []ginasync.Option {
	opts := []ginasync.Option{
		ginasync.WithConcurrency(c.concurrency),
		ginasync.WithLease(c.lease),
		ginasync.WithGrace(c.grace),
		ginasync.WithOpenAPI("gin-app", "1.0.0"),
	}
	if !c.workers {
		opts = append(opts, ginasync.WithoutWorkers())
	}
	if client != nil {
		opts = append(opts, ginasync.WithStore(redisstore.New(client, c.redis.options()...)))
	}
	if len(c.keys) > 0 {
		opts = append(opts, ginasync.WithEncryption(c.keys...))
	}
	if c.ownerHeader != "" {
		opts = append(opts, ginasync.WithOwner(func(r *gin.Context) string { return r.GetHeader(c.ownerHeader) }))
	}
	return opts
}
