package ginasync

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// The budget of a job against the same request served at once.
const (
	maxCostRatio  = 2.5
	maxMoreAllocs = 45
)

// BenchmarkServeHTTP is gin alone.
func BenchmarkServeHTTP(b *testing.B) {
	benchmark(b, newSyncServing(b))
}

// BenchmarkSnapshotReplay is the same request and handler on the way of a job:
// gin's routing, capture, decoding, replay, and the encoded result.
func BenchmarkSnapshotReplay(b *testing.B) {
	benchmark(b, newReplayServing(b))
}

// BenchmarkCostRatio measures both in turns, so that what else the machine does
// meets both alike, and reports the median of the ratios.
func BenchmarkCostRatio(b *testing.B) {
	var ratio float64
	for b.Loop() {
		ratio = costRatio(newSyncServing(b), newReplayServing(b))
	}
	b.ReportMetric(ratio, "ratio")
}

func TestASnapshotAndItsReplayCostLittleMoreThanServing(t *testing.T) {
	alone, job := newSyncServing(t), newReplayServing(t)

	t.Run("at most 45 allocations more", func(t *testing.T) {
		few := testing.AllocsPerRun(500, alone.once)
		many := testing.AllocsPerRun(500, job.once)
		t.Logf("ServeHTTP %v allocations, snapshot and replay %v", few, many)
		require.LessOrEqual(t, many-few, float64(maxMoreAllocs))
	})

	t.Run("at most 2.5 times the time", func(t *testing.T) {
		if testing.CoverMode() != "" {
			t.Skip("counting the statements of this package alone makes it seem slow")
		}
		// What else the machine does can only add to the ratio: a try that meets the
		// limit shows that the code does.
		ratio := costRatio(alone, job)
		for tries := 1; ratio > maxCostRatio && tries < 5; tries++ {
			ratio = min(ratio, costRatio(alone, job))
		}
		t.Logf("snapshot and replay take %.2f times the time of ServeHTTP", ratio)
		require.LessOrEqual(t, ratio, maxCostRatio)
	})
}

// costRatio is the median over interleaved rounds.
func costRatio(alone, job *serving) float64 {
	const rounds, runs = 31, 40
	ratios := make([]float64, 0, rounds)
	for range rounds {
		ratios = append(ratios, float64(job.time(runs))/float64(alone.time(runs)))
	}
	slices.Sort(ratios)
	return ratios[rounds/2]
}

// serving is one engine and the request that it serves again and again.
type serving struct {
	engine  *gin.Engine
	request *http.Request
	body    []byte
	writer  blankWriter
}

func (s *serving) once() {
	s.request.Body = newBody(s.body)
	s.writer.header = make(http.Header)
	s.engine.ServeHTTP(&s.writer, s.request)
}

func (s *serving) time(runs int) time.Duration {
	start := time.Now()
	for range runs {
		s.once()
	}
	return time.Since(start)
}

func benchmark(b *testing.B, s *serving) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		s.once()
	}
}

const benchPath = "/reports/:year"

func newSyncServing(tb testing.TB) *serving {
	tb.Helper()
	s := newServing()
	s.engine.POST(benchPath, sumReport)
	s.once()
	require.Equal(tb, http.StatusOK, s.writer.status)
	return s
}

func newReplayServing(tb testing.TB) *serving {
	tb.Helper()
	s := newServing()
	replay := newReplayEngine(s.engine)
	replay.add(http.MethodPost, benchPath, sumReport)
	s.engine.POST(benchPath, func(c *gin.Context) {
		taken, err := capture(c, 1<<20, nil, nil)
		if err != nil {
			panic(err)
		}
		request, err := decodeSnapshot(taken.request, taken.envelope)
		if err != nil {
			panic(err)
		}
		answer := replay.run(c.Request.Context(), http.MethodPost, benchPath, request, 1<<20, nil)
		c.Status(encodeResponse(answer, nil).Status)
	})
	s.once()
	require.Equal(tb, http.StatusOK, s.writer.status)
	return s
}

func newServing() *serving {
	body := benchBody()
	r := httptest.NewRequest(http.MethodPost, "/reports/2026?lang=en", bytes.NewReader(body))
	for name, value := range map[string]string{
		"Accept": "application/json", "Accept-Encoding": "gzip", "Authorization": "Bearer " + strings.Repeat("x", 64),
		"Content-Length": strconv.Itoa(len(body)), "Content-Type": "application/json", "User-Agent": "bench/1.0",
		"X-Request-Id": "9e107d9d372bb6826bd81d3542a419d6",
	} {
		r.Header.Set(name, value)
	}
	return &serving{engine: gin.New(), request: r, body: body}
}

type reportRequest struct {
	Title string    `json:"title" binding:"required"`
	Rows  []float64 `json:"rows"`
	Notes []string  `json:"notes"`
}

// benchBody is 1 KB of JSON.
func benchBody() []byte {
	request := reportRequest{Title: "The year in numbers"}
	for i := range 8 {
		request.Rows = append(request.Rows, float64(i)*1.25)
	}
	for range 4 {
		request.Notes = append(request.Notes, strings.Repeat("a remark of some length ", 9))
	}
	body, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return body
}

func sumReport(c *gin.Context) {
	var request reportRequest
	if err := c.ShouldBindJSON(&request); err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
		return
	}
	sum := 0.0
	for _, n := range request.Rows {
		sum += n
	}
	c.JSON(http.StatusOK, gin.H{"year": c.Param("year"), "title": request.Title, "count": len(request.Rows), "sum": sum})
}

// blankWriter is the least that gin needs to write to.
type blankWriter struct {
	header http.Header
	status int
	body   []byte
}

func (w *blankWriter) Header() http.Header    { return w.header }
func (w *blankWriter) WriteHeader(status int) { w.status = status }
func (w *blankWriter) Write(p []byte) (int, error) {
	w.body = append(w.body[:0], p...)
	return len(p), nil
}
