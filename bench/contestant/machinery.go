package contestant

import (
	"context"

	"github.com/RichardKnop/machinery/v2"
	redisbackend "github.com/RichardKnop/machinery/v2/backends/redis"
	redisbroker "github.com/RichardKnop/machinery/v2/brokers/redis"
	"github.com/RichardKnop/machinery/v2/config"
	"github.com/RichardKnop/machinery/v2/locks/eager"
	"github.com/RichardKnop/machinery/v2/log"
	"github.com/RichardKnop/machinery/v2/tasks"
)

// bareMachinery is a server and a worker of machinery on Redis. It makes its connections
// itself, so that its calls are not counted.
type bareMachinery struct {
	server *machinery.Server
	worker *machinery.Worker
}

func openMachinery(setup Setup, work Work) (*bareMachinery, error) {
	log.SetInfo(discard{})
	log.SetDebug(discard{})
	settings := &config.Config{
		DefaultQueue: queueName, ResultsExpireIn: int(retention.Seconds()), NoUnixSignals: true,
		Redis: &config.RedisConfig{NormalTasksPollPeriod: 1000, DelayedTasksPollPeriod: 500},
	}
	m := &bareMachinery{server: machinery.NewServer(settings,
		redisbroker.NewGR(settings, []string{setup.Redis}, 0),
		redisbackend.NewGR(settings, []string{setup.Redis}, 0), eager.New())}
	err := m.server.RegisterTask(taskType, func(ctx context.Context, text string) (string, error) {
		return string(work.Do(ctx, []byte(text))), nil
	})
	if err != nil || setup.Concurrency == 0 {
		return m, err
	}
	m.worker = m.server.NewWorker("bench", setup.Concurrency)
	m.worker.SetPostTaskHandler(func(*tasks.Signature) { work.Kept(1) })
	m.worker.LaunchAsync(make(chan error, 1))
	return m, nil
}

// Submit sends the body as it is: arguments are JSON, and ours is text.
func (m *bareMachinery) Submit(ctx context.Context, body []byte) (string, error) {
	sent, err := m.server.SendTaskWithContext(ctx, &tasks.Signature{
		Name: taskType,
		Args: []tasks.Arg{{Type: "string", Value: string(body)}},
	})
	if err != nil {
		return "", err
	}
	return sent.Signature.UUID, nil
}

// Close leaves a worker to the end of the process: one that is told to quit waits for its
// next poll.
func (m *bareMachinery) Close(context.Context) error { return nil }

// discard is a logger that says nothing.
type discard struct{}

func (discard) Print(...any)          {}
func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}
func (discard) Fatal(...any)          {}
func (discard) Fatalf(string, ...any) {}
func (discard) Fatalln(...any)        {}
func (discard) Panic(...any)          {}
func (discard) Panicf(string, ...any) {}
func (discard) Panicln(...any)        {}
