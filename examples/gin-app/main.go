// Command gin-app is a small service with five routes too slow for one request.
// Four of them are ordinary Gin handlers that know nothing, or next to nothing, of
// jobs. Run it with
//
//	go run ./examples/gin-app
//
// and see the README beside it for requests to send.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// Exit codes besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	logging.Disable() // of go-redis: each call that fails is an error that is logged by whoever made it
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stderr))
}

// run is main with its surroundings passed in. It returns the exit code.
func run(args []string, lookupEnv func(string) (string, bool), stderr io.Writer) int {
	cfg, err := parseConfig(args, lookupEnv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "gin-app: %v (see gin-app -help)\n", err)
		return exitUsage
	}
	client := cfg.redis.client()
	jobs, err := newApp(cfg, client)
	if err == nil {
		err = jobs.Run(cfg.addr)
	}
	if client != nil { // Run has let the jobs finish and uses it no more
		err = errors.Join(err, client.Close())
	}
	if err != nil {
		fmt.Fprintf(stderr, "gin-app: %v\n", err)
		return exitFailure
	}
	return 0
}

// newApp wires the routes to a Manager, which serves and runs them. Jobs are kept by
// client, or in memory if there is none.
func newApp(cfg config, client redis.UniversalClient) (*ginasync.Manager, error) {
	r := gin.Default()
	r.Use(cors.New(cors.Config{
		AllowAllOrigins: true, // a service that knows its pages names their origins
		AllowMethods:    ginasync.AllowMethods(),
		AllowHeaders:    ginasync.AllowHeaders(),
		ExposeHeaders:   ginasync.ExposeHeaders(),
	}))
	routes(r)
	jobs, err := ginasync.New(r, cfg.options(client)...)
	if err != nil {
		return nil, err
	}
	jobs.Routes(r.Group("/jobs"))
	return jobs, nil
}

// routes registers the slow routes.
func routes(r gin.IRoutes) {
	flakyRetry := worker.Backoff{Initial: 200 * time.Millisecond, Max: 200 * time.Millisecond, Factor: 1}

	r.POST("/thumbnails", ginasync.Async(thumbnail))
	r.POST("/reports/:year", ginasync.AsyncFunc(buildReport))
	r.POST("/slow/:seconds", ginasync.Async(slow))
	r.POST("/quick", ginasync.Async(quick, ginasync.Wait(2*time.Second)))
	r.POST("/flaky", ginasync.Async(flaky, ginasync.Retry(flakyRetry)))
}
