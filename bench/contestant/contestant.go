package contestant

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Kind names a contestant.
type Kind string

// The contestants.
const (
	GinAsync       Kind = "gin-async"         // Gin, ginasync, worker, redisstore
	GinAsyncMemory Kind = "gin-async, memory" // Gin, ginasync, worker, memstore
	Worker         Kind = "worker"            // worker, redisstore
	WorkerMemory   Kind = "worker, memory"    // worker, memstore
	Store          Kind = "store"             // redisstore
	AsynqGin       Kind = "asynq with Gin"    // Gin, asynq
	Asynq          Kind = "asynq"             // asynq
	Machinery      Kind = "machinery"         // machinery
	Gin            Kind = "gin"               // a route that answers the same 202 and stores nothing
	Pipeline       Kind = "pipeline"          // the same Redis commands and nothing else
)

// Setup says what to make.
type Setup struct {
	Kind Kind
	// Redis is host:port.
	Redis string
	// Concurrency is how many jobs run at once; 0: this process runs none and only
	// submits.
	Concurrency int
}

// Work is what a job does, the same for all, and how a contestant tells of it. The
// functions are called by many goroutines at once.
type Work struct {
	// Do gets the body of the submission and returns the result to keep.
	Do func(ctx context.Context, body []byte) []byte
	// Kept is called when the result of n more jobs is stored.
	Kept func(n int)
	// Called is called for each call to Redis: a command, a script or a pipeline.
	Called func()
}

// Contestant is one of them in this process.
type Contestant interface {
	// Submit hands a job in at the front door and returns its id. It is safe for
	// concurrent use; the body is not changed and not kept.
	Submit(ctx context.Context, body []byte) (id string, err error)
	// Close stops the workers and closes the connections.
	Close(ctx context.Context) error
}

// Server is a contestant that can be asked over HTTP: POST of SubmitPath submits, GET of
// StatusPath and an id shows the job.
type Server interface {
	Handler() http.Handler
}

// Watcher is a contestant that can tell when a job is over, wherever it runs.
type Watcher interface {
	// Watch returns when the job is seen to be over.
	Watch(ctx context.Context, id string) error
}

// Pumper is a contestant that needs nobody to submit.
type Pumper interface {
	// Pump works until ctx is done.
	Pump(ctx context.Context) error
}

// The paths of a Server.
const (
	SubmitPath = "/reports/2026"
	StatusPath = "/jobs/"
	route      = "/reports/:year"
	routeName  = "POST " + route
)

const (
	// maxWaiting is above what any row lets wait.
	maxWaiting = 10_000_000
	// retention is the default of ginasync.
	retention = 24 * time.Hour
	queueName = "default"
)

// Open makes a contestant that is ready for jobs. Close it.
func Open(ctx context.Context, setup Setup, work Work) (Contestant, error) {
	switch setup.Kind {
	case GinAsync, GinAsyncMemory:
		return openGinAsync(ctx, setup, work)
	case Worker, WorkerMemory:
		return openWorker(ctx, setup, work)
	case Store:
		return openStore(ctx, setup, work)
	case AsynqGin:
		return openAsynqGin(setup, work)
	case Asynq:
		return openAsynq(setup, work)
	case Machinery:
		return openMachinery(setup, work)
	case Gin:
		return openGin(), nil
	case Pipeline:
		return openPipeline(setup, work), nil
	}
	return nil, fmt.Errorf("there is no contestant %q", setup.Kind)
}
