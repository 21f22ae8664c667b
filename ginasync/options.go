package ginasync

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
)

// Option sets something of a Manager. A mistake is returned by New, together with
// all others.
type Option func(*config)

// config is what the Options of one Manager come to.
type config struct {
	// Worker options.
	queues      map[string]int
	lease, poll time.Duration
	grace       time.Duration
	noWorkers   bool
	middleware  []gin.HandlerFunc

	// Job options.
	store     store.Store
	maxQueued int
	defaults  routeConfig

	// Response options.
	baseURL  string
	accepted func(*gin.Context, Status)
	status   func(*gin.Context, Status)
	failure  func(*gin.Context, Problem)

	log  *slog.Logger
	errs []error
}

const defaultQueue = "default"

// newConfig applies opts to the defaults and returns every mistake joined.
func newConfig(opts []Option) (config, error) {
	cfg := config{
		queues:    map[string]int{defaultQueue: 16},
		lease:     10 * time.Second,
		poll:      time.Second,
		grace:     30 * time.Second,
		maxQueued: 100_000,
		defaults:  defaultRouteConfig(),
		accepted:  writeAccepted,
		status:    writeStatus,
		failure:   writeProblem,
		log:       slog.Default(),
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	if err := cfg.defaults.validate(); err != nil {
		cfg.errs = append(cfg.errs, fmt.Errorf("WithDefaults: %w", err))
	}
	if cfg.store == nil {
		cfg.store = memstore.New()
	}
	return cfg, errors.Join(cfg.errs...)
}

// mistake notes what is wrong with an option and how to mend it.
func (c *config) mistake(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// notNil notes a nil where an option needs something.
func (c *config) notNil(option string, isNil bool) {
	if isNil {
		c.mistake("%s must not be nil: leave the option out for the default", option)
	}
}

// atLeast notes a duration that is too short.
func (c *config) atLeast(option string, d, least time.Duration) {
	if d < least {
		c.mistake("%s must be at least %v, not %v", option, least, d)
	}
}

// WithLogger sets where the Manager and its workers log to. Default: slog.Default()
// at the time of New.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) {
		c.notNil("WithLogger", logger == nil)
		c.log = logger
	}
}

// WithBaseURL is put before the path of every URL the Manager writes, such as
// "https://api.example.com/v2" for a server behind a proxy that strips a prefix.
// Default: none, URLs are absolute paths, which a client resolves against the URL
// it called. The Host header is never used.
func WithBaseURL(url string) Option {
	return func(c *config) {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "/") {
			c.mistake("WithBaseURL needs a URL with scheme and host, or a path with a leading slash, not %q", url)
		}
		c.baseURL = strings.TrimRight(url, "/")
	}
}
