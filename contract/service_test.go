package contract_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// reportRequest has a field of each kind that a typed route can bind.
type reportRequest struct {
	Year   int                `uri:"year" binding:"required,min=1900"`
	Tenant string             `header:"X-Tenant" binding:"required"`
	Draft  bool               `form:"draft,default=true"`
	Tags   []string           `form:"tag"`
	Title  string             `json:"title" binding:"required,max=20"`
	Kind   string             `json:"kind" binding:"omitempty,oneof=yearly monthly"`
	Rows   []row              `json:"rows" binding:"dive"`
	Totals map[string]float64 `json:"totals"`
	Due    *time.Time         `json:"due"`
}

type row struct {
	N        int   `json:"n" binding:"min=0"`
	Children []row `json:"children"`
}

type report struct {
	Year  int     `json:"year"`
	Title string  `json:"title"`
	Mean  float64 `json:"mean,omitempty"`
	Rows  []row   `json:"rows"`
	Note  *string `json:"note"`
}

func buildReport(ctx context.Context, req reportRequest) (report, error) {
	if req.Title == "fail" {
		return report{}, ginasync.Permanent(errors.New("as asked for"))
	}
	if err := ginasync.Progress(ctx, 50, "half of it"); err != nil {
		return report{}, err
	}
	return report{Year: req.Year, Title: req.Title, Rows: req.Rows}, nil
}

// service is a running application.
type service struct {
	*httptest.Server
	jobs    *ginasync.Manager
	release func() // ends the jobs of POST /slow
}

func startService(t *testing.T, opts ...ginasync.Option) *service {
	t.Helper()
	r := gin.New()
	released := make(chan struct{})
	r.POST("/reports/:year", ginasync.AsyncFunc(buildReport))
	r.GET("/reports/:yyyy", ginasync.Async(func(c *gin.Context) { c.String(http.StatusOK, c.Param("yyyy")) }, ginasync.OnPrefer()))
	r.PUT("/files/*rest", ginasync.Async(func(c *gin.Context) { c.String(http.StatusTeapot, c.Param("rest")) }))
	r.POST("/slow", ginasync.Async(func(c *gin.Context) {
		select {
		case <-released:
		case <-c.Done():
		}
		c.JSON(http.StatusCreated, gin.H{"slept": "well"})
	}))
	r.POST("/later", ginasync.Async(func(*gin.Context) {}, ginasync.Delay(time.Hour)))
	r.DELETE("/all/:id", ginasync.AsyncFunc(func(_ context.Context, _ struct {
		ID     string    `uri:"id"`
		Before time.Time `form:"before" binding:"required"`
	},
	) (struct{}, error) {
		return struct{}{}, nil
	}))
	jobs, err := ginasync.New(r, append([]ginasync.Option{
		ginasync.WithOpenAPI("Reports", "1.2.3"), ginasync.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(t, jobs.Start(t.Context()))
	s := &service{httptest.NewServer(r), jobs, sync.OnceFunc(func() { close(released) })}
	t.Cleanup(func() {
		s.release()
		s.Client().CloseIdleConnections()
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, jobs.Shutdown(ctx))
	})
	return s
}
