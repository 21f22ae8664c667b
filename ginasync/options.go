package ginasync

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
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
	store             store.Store
	maxQueued         int
	maxQueuedPerOwner int // 0: no bound
	defaults          routeConfig

	// Options of what is stored.
	keys        *keyring
	credentials headerSet

	// Who may do what.
	owner     func(*gin.Context) string // nil: jobs have no owners
	admin     func(*gin.Context) bool   // nil: nobody
	authorize func(*gin.Context, Job, Action) error

	webhooks webhookConfig

	// Response options.
	baseURL     string
	url         func(c *gin.Context, path string) string
	openAPI     openAPIInfo // zero: not served
	maxWatchers int
	accepted    func(*gin.Context, Status)
	status      func(*gin.Context, Status)
	failure     func(*gin.Context, Problem)

	log  *slog.Logger
	errs []error
}

const defaultQueue = "default"

// newConfig applies opts to the defaults and returns every mistake joined.
func newConfig(opts []Option) (config, error) {
	write := new(documents)
	cfg := config{
		queues:      map[string]int{defaultQueue: 16},
		lease:       10 * time.Second,
		poll:        time.Second,
		grace:       30 * time.Second,
		maxQueued:   100_000,
		maxWatchers: 10_000,
		defaults:    defaultRouteConfig(),
		// The names that HTTP has for them.
		credentials: headerSet{"Authorization": true, "Proxy-Authorization": true, "Cookie": true},
		webhooks:    webhookConfig{secrets: map[string][]webhook.Secret{}, hosts: outbound.Hosts{}},
		accepted:    write.writeAccepted,
		status:      write.writeStatus,
		failure:     writeProblem,
		log:         slog.Default(),
	}
	for _, opt := range opts {
		if opt == nil {
			cfg.mistake("an Option is nil: leave it out")
			continue
		}
		opt(&cfg)
	}
	cfg.checkTogether()
	if cfg.store == nil {
		cfg.store = memstore.New()
	}
	if configured, ok := cfg.store.(store.Configured); ok {
		if err := configured.Err(); err != nil {
			cfg.mistake("WithStore: %w", err)
		}
	}
	return cfg, errors.Join(cfg.errs...)
}

// checkTogether notes what no option can see by itself.
func (c *config) checkTogether() {
	c.checkWebhooks()
	if err := c.defaults.validate(); err != nil {
		c.mistake("WithDefaults: %w", err)
	}
	if c.defaults.name != "" {
		c.mistake("WithDefaults: Name is for one route: no two may have the same")
	}
	if err := c.declared(c.defaults.queue); err != nil {
		c.mistake("WithDefaults: %w", err)
	}
	if c.admin != nil && c.owner == nil {
		c.mistake("WithAdmin needs WithOwner: without owners there is nobody's job that others may not see")
	}
	if c.maxQueuedPerOwner > 0 && c.owner == nil {
		c.mistake("WithMaxQueuedPerOwner needs WithOwner: without owners there is only WithMaxQueued")
	}
	slots := 0
	for _, n := range c.queues {
		slots += n
	}
	if slots == 0 && !c.noWorkers {
		c.mistake("no queue has a concurrency above 0: to run no jobs here, use WithoutWorkers")
	}
}

// declared returns an error for a queue that no option names.
func (c *config) declared(queue string) error {
	if _, ok := c.queues[queue]; ok || queue == "" {
		return nil
	}
	return fmt.Errorf("queue %q is not declared: add WithQueue(%q, n) to New, with n 0 if other processes work on it", queue, queue)
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
