package client_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// process is a server with a Manager that can be stopped, and another one be started at
// its address.
type process struct {
	server *http.Server
	jobs   *ginasync.Manager
	served chan error
	polled chan struct{} // filled when a poll comes
}

// startProcess listens at an address; with port 0 at a free one.
func startProcess(t *testing.T, addr string, shared store.Store, handler gin.HandlerFunc) (p *process, listening string) {
	t.Helper()
	p = &process{served: make(chan error, 1), polled: make(chan struct{}, 1)}
	r := gin.New()
	r.Use(func(c *gin.Context) {
		if c.Request.Method == http.MethodGet {
			select {
			case p.polled <- struct{}{}:
			default:
			}
		}
	})
	r.POST("/held", ginasync.Async(handler))
	jobs, err := ginasync.New(r, ginasync.WithStore(shared), ginasync.WithLogger(slog.New(slog.DiscardHandler)),
		ginasync.WithGrace(time.Millisecond))
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(t, jobs.Start(t.Context()))
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	p.server, p.jobs = &http.Server{Handler: r, ReadHeaderTimeout: patience}, jobs
	go func() { p.served <- p.server.Serve(l) }()
	return p, l.Addr().String()
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.server.Close()) // cuts the polls off
	require.ErrorIs(t, <-p.served, http.ErrServerClosed)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, p.jobs.Shutdown(ctx))
}

func TestAServerMayRestartInTheMiddle(t *testing.T) {
	h := newHeld()
	shared := memstore.New()
	first, addr := startProcess(t, "127.0.0.1:0", shared, h.handle)
	done := background(newClient(t), request(t, http.MethodPost, "http://"+addr+"/held", ""))
	id := <-h.started
	<-first.polled
	first.stop(t)
	second, _ := startProcess(t, addr, shared, h.handle)
	defer second.stop(t)
	assert.Equal(t, id, <-h.started)
	close(h.release)
	got := <-done
	require.NoError(t, got.err)
	assert.Contains(t, read(t, got.resp).body, "released")
}
