package ginasync

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// The job of the benchmarks: 512 bytes go in and 128 come out.
const (
	jobPath   = "/reports/2026"
	jobBody   = 512
	jobResult = 128
)

// answering is a handler that reads its body and answers with 128 bytes.
func answering() gin.HandlerFunc {
	result := make([]byte, jobResult)
	return func(c *gin.Context) {
		if _, err := c.GetRawData(); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "text/plain", result)
	}
}

// shop is an engine with an async route and its manager.
type shop struct {
	engine  *gin.Engine
	manager *Manager
	body    []byte
}

func openShop(tb testing.TB, handler gin.HandlerFunc, opts ...Option) *shop {
	tb.Helper()
	engine := gin.New()
	engine.POST(benchPath, Async(handler))
	opts = append([]Option{WithLogger(slog.New(slog.DiscardHandler)), WithMaxQueued(1 << 30)}, opts...)
	m, err := New(engine, opts...)
	require.NoError(tb, err)
	m.Routes(engine.Group("/jobs"))
	require.NoError(tb, m.Start(tb.Context()))
	tb.Cleanup(func() { _ = m.Shutdown(context.Background()) })
	return &shop{engine: engine, manager: m, body: make([]byte, jobBody)}
}

// request is what net/http makes of a client's, as far as it concerns the route.
func (s *shop) request(path string, body []byte) *http.Request {
	return &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: path}, RequestURI: path,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "127.0.0.1:8080", RemoteAddr: "127.0.0.1:40000",
		Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {strconv.Itoa(len(body))}},
		Body:   newBody(body), ContentLength: int64(len(body)),
	}
}

// ask serves a request and returns the status of the answer.
func (s *shop) ask(w *blankWriter, r *http.Request) int {
	w.header, w.status = make(http.Header, 8), http.StatusOK
	s.engine.ServeHTTP(w, r)
	return w.status
}

func (s *shop) submit(tb testing.TB, w *blankWriter) {
	if status := s.ask(w, s.request(jobPath, s.body)); status != http.StatusAccepted {
		tb.Fatalf("answered %d: %s", status, w.body)
	}
}

// BenchmarkSubmit is a request from the engine to its 202, with nobody to run the job.
func BenchmarkSubmit(b *testing.B) {
	s := openShop(b, answering(), WithStore(sink{}), WithoutWorkers())
	var w blankWriter
	b.ReportAllocs()
	for b.Loop() {
		s.submit(b, &w)
	}
}

// BenchmarkAccepted is a Gin route that answers the same 202 and stores nothing.
func BenchmarkAccepted(b *testing.B) {
	s := openShop(b, answering(), WithStore(sink{}), WithoutWorkers())
	s.engine.POST("/bare", func(c *gin.Context) {
		if _, err := c.GetRawData(); err != nil {
			b.Error(err)
		}
		status := s.manager.statusOf(c, sinkJob())
		c.Header("Vary", "Prefer")
		c.Header("Location", status.Links.Self)
		c.Header("Content-Location", status.Links.Self)
		c.Header("Cache-Control", "no-store")
		c.Header("Retry-After", "1")
		c.JSON(http.StatusAccepted, &status)
	})
	var w blankWriter
	b.ReportAllocs()
	for b.Loop() {
		if status := s.ask(&w, s.request("/bare", s.body)); status != http.StatusAccepted {
			b.Fatal(status)
		}
	}
}

// BenchmarkAttempt is a stored request from its claim to its report.
func BenchmarkAttempt(b *testing.B) {
	s := openShop(b, answering(), WithStore(sink{}), WithoutWorkers())
	claim := s.claim(b)
	route, _ := s.manager.workerRoute(claim.Job.Route)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if report := route.Handle(ctx, claim); report.Result == nil || report.Result.Status != http.StatusOK {
			b.Fatal(report)
		}
	}
}

// claim captures a request.
func (s *shop) claim(tb testing.TB) store.Claim {
	c := gin.CreateTestContextOnly(&blankWriter{header: make(http.Header)}, s.engine)
	c.Request = s.request(jobPath, s.body)
	c.Params = gin.Params{{Key: "year", Value: "2026"}}
	taken, err := capture(c, 1<<20, nil, nil)
	require.NoError(tb, err)
	job := sinkJob()
	return store.Claim{Job: job, Request: taken.request, Envelope: taken.envelope}
}

// BenchmarkJob is a job from the engine to its kept result, with at most 4096 of them
// unfinished.
func BenchmarkJob(b *testing.B) {
	unfinished := make(chan struct{}, 4096)
	answer := answering()
	s := openShop(b, func(c *gin.Context) { answer(c); <-unfinished }, WithStore(memstore.New()), WithConcurrency(128))
	var w blankWriter
	b.ReportAllocs()
	for b.Loop() {
		unfinished <- struct{}{}
		s.submit(b, &w)
	}
	for range cap(unfinished) {
		unfinished <- struct{}{}
	}
}

// sink is a store that forgets each job at once.
type sink struct{ store.Store }

func (sink) Local() bool { return true }

func (sink) Create(_ context.Context, job store.NewJob) (store.Job, bool, error) {
	created := sinkJob()
	created.Route, created.Queue, created.MaxAttempts = job.Route, job.Queue, job.MaxAttempts
	return created, true, nil
}

func (sink) Stats(context.Context) (store.Stats, error) { return store.Stats{}, nil }

func sinkJob() store.Job {
	created := time.Now().UTC()
	return store.Job{
		ID: "mbcdefghijklmnopqrstuvwxyz2", Route: "POST " + benchPath, Queue: "default", State: store.Queued,
		Version: 1, MaxAttempts: 4, CreatedAt: created, ReadyAt: created,
	}
}

// BenchmarkCapture is a request made into what is stored of it.
func BenchmarkCapture(b *testing.B) {
	s := openShop(b, answering(), WithStore(sink{}), WithoutWorkers())
	c := gin.CreateTestContextOnly(&blankWriter{header: make(http.Header)}, s.engine)
	c.Request = s.request(jobPath, s.body)
	c.Params = gin.Params{{Key: "year", Value: "2026"}}
	b.ReportAllocs()
	for b.Loop() {
		c.Request.Body = newBody(s.body)
		if _, err := capture(c, 1<<20, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode makes a request again of what is stored.
func BenchmarkDecode(b *testing.B) {
	claim := openShop(b, answering(), WithStore(sink{}), WithoutWorkers()).claim(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeSnapshot(claim.Request, claim.Envelope); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecorder records an answer and encodes it.
func BenchmarkRecorder(b *testing.B) {
	request, body := &http.Request{Method: http.MethodPost}, make([]byte, jobResult)
	b.ReportAllocs()
	for b.Loop() {
		w := newRecorder(request, 1<<20)
		w.Header()["Content-Type"] = []string{"text/plain"}
		if _, err := w.Write(body); err != nil {
			b.Fatal(err)
		}
		if result := encodeResponse(w.finish(), nil); result.Bytes != jobResult {
			b.Fatal(result)
		}
	}
}
