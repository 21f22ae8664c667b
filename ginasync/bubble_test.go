package ginasync_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bubble is an application in a synctest bubble: the network is in memory, and time
// passes when everybody waits.
type bubble struct {
	*app
	routes func(r *gin.Engine)
	engine *gin.Engine
	server *http.Server
}

// serve starts a server set up by with, and from then on the client calls that one.
func (b *bubble) serve(with func(*http.Server)) {
	wire := &network{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: b.engine}
	with(server)
	b.server, b.url = server, "http://bubble"
	b.client = &http.Client{Transport: &http.Transport{DialContext: wire.dial, DisableKeepAlives: true}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(wire) }()
	b.t.Cleanup(func() {
		assert.NoError(b.t, server.Close())
		assert.ErrorIs(b.t, <-served, http.ErrServerClosed)
	})
}

// inBubble runs test as a subtest with an application of its own.
func inBubble(t *testing.T, name string, routes func(r *gin.Engine), test func(t *testing.T, b *bubble), opts ...ginasync.Option) {
	t.Helper()
	inBubbleOn(t, name, func() store.Store { return memstore.New() }, routes, test, opts...)
}

// inBubbleOn is inBubble with a store of the test's.
func inBubbleOn(t *testing.T, name string, open func() store.Store, routes func(r *gin.Engine), test func(t *testing.T, b *bubble), opts ...ginasync.Option) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubbleOn(t, open(), routes, opts...)
			test(t, b)
		})
	})
}

// newBubble starts an application in the bubble that the test is in.
func newBubble(t *testing.T, routes func(r *gin.Engine), opts ...ginasync.Option) *bubble {
	t.Helper()
	return newBubbleOn(t, memstore.New(), routes, opts...)
}

func newBubbleOn(t *testing.T, s store.Store, routes func(r *gin.Engine), opts ...ginasync.Option) *bubble {
	t.Helper()
	b := &bubble{app: &app{t: t, store: s}, routes: routes}
	b.engine, b.jobs = b.start(s, opts...)
	b.serve(func(*http.Server) {})
	return b
}

// beside starts another Manager with the same routes on the same store.
func (b *bubble) beside(opts ...ginasync.Option) *ginasync.Manager {
	b.t.Helper()
	_, jobs := b.start(b.store, opts...)
	return jobs
}

func (b *bubble) start(s store.Store, opts ...ginasync.Option) (*gin.Engine, *ginasync.Manager) {
	b.t.Helper()
	r := gin.New()
	b.routes(r)
	jobs, err := ginasync.New(r, append([]ginasync.Option{
		ginasync.WithStore(s), ginasync.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	require.NoError(b.t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(b.t, jobs.Start(b.t.Context()))
	b.t.Cleanup(func() {
		assert.NoError(b.t, jobs.Shutdown(context.Background()))
	})
	return r, jobs
}

func (b *bubble) stats() store.Stats {
	b.t.Helper()
	stats, err := b.store.Stats(b.t.Context())
	require.NoError(b.t, err)
	return stats
}

// background sends a request; its answer, or nil when the client gave up, comes later.
func (b *bubble) background(ctx context.Context, method, path string, header ...string) <-chan *answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, http.NoBody)
	require.NoError(b.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	answers := make(chan *answer, 1)
	go func() {
		resp, err := b.client.Do(req)
		if err != nil {
			answers <- nil
			return
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		assert.NoError(b.t, err)
		answers <- &answer{resp, data}
	}()
	synctest.Wait()
	return answers
}

// poll gets a path in the background.
func (b *bubble) poll(path string, header ...string) <-chan *answer {
	b.t.Helper()
	return b.background(b.t.Context(), http.MethodGet, path, header...)
}

// network connects clients with a server.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.closed:
		return nil, errors.New("nobody listens")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (*network) Addr() net.Addr { return &net.UnixAddr{Name: "bubble", Net: "pipe"} }
