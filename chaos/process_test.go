package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// processConfigVariable is set in the environment of worker processes.
const processConfigVariable = "GINASYNC_CHAOS_PROCESS"

const (
	// plentyOfAttempts is more than the kills of a test can use up.
	plentyOfAttempts = 50
	// deadlyAttempts is how many processes a deadly job may take down.
	deadlyAttempts = 2
)

// processConfig is what a worker process is told.
type processConfig struct {
	Name        string
	Dir         string // of the journal
	Redis       string // host:port
	Lease       time.Duration
	Grace       time.Duration
	Concurrency int
	SlowWaking  time.Duration // see there; 0: not at all
	Hook        string        // host:port that is told of the end of jobs; empty: none
}

// runProcess is the life of a worker process: a service as users write it, whose handlers
// keep a journal. It returns the exit code.
func runProcess(text string) int {
	go endWithParent()
	var config processConfig
	err := json.Unmarshal([]byte(text), &config)
	if err == nil {
		err = config.serve()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// endWithParent ends the process when the tests are no more: they hold the other end.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(3)
}

func (c processConfig) serve() (err error) {
	notes, err := openJournal(c.Dir, c.Name)
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: c.Redis, ContextTimeoutEnabled: true})
	defer func() { err = errors.Join(err, client.Close()) }()
	if c.SlowWaking > 0 {
		client.AddHook(&slowWaking{lease: c.Lease, delay: c.SlowWaking})
	}

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	place := workplace{name: c.Name, notes: notes}
	r.POST("/work", ginasync.Async(place.work, ginasync.MaxAttempts(plentyOfAttempts)))
	r.POST("/deadly", ginasync.Async(place.die, ginasync.MaxAttempts(deadlyAttempts)))
	options := []ginasync.Option{
		ginasync.WithStore(redisstore.New(client)),
		ginasync.WithLease(c.Lease), ginasync.WithGrace(c.Grace), ginasync.WithConcurrency(c.Concurrency),
		ginasync.WithLogger(slog.New(slog.NewJSONHandler(os.Stdout, nil))),
	}
	if c.Hook != "" {
		options = append(options, ginasync.WithWebhookSecrets(c.Hook, hookSecret), ginasync.WithWebhooks("http://"+c.Hook+"/"))
	}
	jobs, err := ginasync.New(r, options...)
	if err != nil {
		return err
	}
	jobs.Routes(r.Group("/jobs"))
	return jobs.Run("127.0.0.1:0")
}

// workplace has the handlers of a worker process.
type workplace struct {
	name  string
	notes *journal
}

// order is what a job asks of the handler, in the query of its request.
type order struct {
	Takes time.Duration `form:"takes"` // the first attempt
	Again time.Duration `form:"again"` // the others; 0: as the first
	// Stubborn handlers do not care whether their context is done.
	Stubborn bool `form:"stubborn"`
	// Reports has the handler report progress when its time is over.
	Reports bool `form:"reports"`
}

// work takes some time and answers the nonce of the run.
func (w workplace) work(c *gin.Context) {
	var o order
	if err := c.ShouldBindQuery(&o); err != nil {
		c.String(http.StatusBadRequest, err.Error())
		return
	}
	entry, err := w.begin(c)
	if err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	o.carryOut(c, entry.Attempt)
	if o.Reports {
		entry.Report = "stored"
		if err := ginasync.Progress(c, 100, "done"); err != nil {
			entry.Report = causeName(err)
		}
	}
	entry.Event, entry.At, entry.Cause = "ended", time.Now(), causeName(context.Cause(c))
	if err := w.notes.write(entry); err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.String(http.StatusOK, entry.Nonce)
}

func (w workplace) begin(c *gin.Context) (journalEntry, error) {
	attempt, _ := ginasync.FromContext(c)
	entry := journalEntry{
		Event: "began", Job: attempt.ID, Attempt: attempt.Number,
		Process: w.name, PID: os.Getpid(), Nonce: newNonce(), At: time.Now(),
	}
	return entry, w.notes.write(entry)
}

// carryOut returns when the order is carried out or, unless it is stubborn, stopped.
func (o order) carryOut(ctx context.Context, attempt int) {
	takes := o.Takes
	if attempt > 1 && o.Again > 0 {
		takes = o.Again
	}
	stopped := ctx.Done()
	if o.Stubborn {
		stopped = nil
	}
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stopped:
	}
}

// die takes the whole process down.
func (w workplace) die(c *gin.Context) {
	if _, err := w.begin(c); err == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	<-c.Done()
}
