package contestant

import (
	"context"
	"errors"
	"io"
	"log"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
)

// taskType is asynq's name of what is to be done.
const taskType = "report"

// asynqPoll is how often a status is asked for: asynq has no other means to wait.
const asynqPoll = 100 * time.Millisecond

// bareAsynq is asynq's client and server, each with connections of its own as when they
// make them themselves. Results are kept for a day.
type bareAsynq struct {
	client    *asynq.Client
	server    *asynq.Server // nil: this process runs no jobs
	inspector *asynq.Inspector
	shared    []io.Closer
}

func openAsynq(setup Setup, work Work) (*bareAsynq, error) {
	front, back, look := connect(setup, work), connect(setup, work, completions{work.Kept}), connect(setup, work)
	a := &bareAsynq{
		client:    asynq.NewClientFromRedisClient(front),
		inspector: asynq.NewInspectorFromRedisClient(look),
		shared:    []io.Closer{front, back, look},
	}
	if setup.Concurrency == 0 {
		return a, nil
	}
	a.server = asynq.NewServerFromRedisClient(back, asynq.Config{
		Concurrency: setup.Concurrency,
		LogLevel:    asynq.ErrorLevel,
		Logger:      errorsOnly{log.Default()},
	})
	err := a.server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		_, err := task.ResultWriter().Write(work.Do(ctx, task.Payload()))
		return err
	}))
	if err != nil {
		return nil, errors.Join(err, a.closeShared())
	}
	return a, nil
}

func (a *bareAsynq) Submit(ctx context.Context, body []byte) (string, error) {
	info, err := a.enqueue(ctx, body)
	if err != nil {
		return "", err
	}
	return info.ID, nil
}

// enqueue submits under an id of our own, and has the result kept.
func (a *bareAsynq) enqueue(ctx context.Context, body []byte) (*asynq.TaskInfo, error) {
	return a.client.EnqueueContext(ctx, asynq.NewTask(taskType, body),
		asynq.TaskID(uuid.NewString()), asynq.Retention(retention))
}

// Watch asks again and again.
func (a *bareAsynq) Watch(ctx context.Context, id string) error {
	tick := time.NewTicker(asynqPoll)
	defer tick.Stop()
	for {
		info, err := a.inspector.GetTaskInfo(queueName, id)
		if err != nil || info.State == asynq.TaskStateCompleted {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *bareAsynq) Close(context.Context) error {
	if a.server != nil {
		a.server.Shutdown()
	}
	return a.closeShared()
}

func (a *bareAsynq) closeShared() error {
	var errs []error
	for _, c := range a.shared {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// errorsOnly is asynq's logger without what it says at every start.
type errorsOnly struct{ *log.Logger }

func (l errorsOnly) Debug(...any)      {}
func (l errorsOnly) Info(...any)       {}
func (l errorsOnly) Warn(...any)       {}
func (l errorsOnly) Error(args ...any) { l.Print(args...) }
