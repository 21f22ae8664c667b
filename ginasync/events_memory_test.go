//go:build !race

package ginasync_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

const (
	// watchersEnv has a second run of this test be the clients: their memory does not
	// count.
	watchersEnv = "GINASYNC_TEST_WATCH"
	watchers    = 1000
	watchedJobs = 10

	// bytesPerWatcher is heap and stack, the buffers and goroutines of net/http included:
	// about 26 000 for a request that it holds open, 23 000 for a stream that takes its
	// connection from it.
	bytesPerWatcher = 25_000
)

// TestAThousandWatchers: what they cost, and that they end.
func TestAThousandWatchers(t *testing.T) {
	if args := strings.Fields(os.Getenv(watchersEnv)); len(args) > 0 {
		require.NoError(t, beCrowd(args[0], args[1:]))
		return
	}
	release := make(chan struct{})
	r := gin.New()
	r.POST("/x", ginasync.Async(func(c *gin.Context) {
		select {
		case <-release:
		case <-c.Done():
		}
	}))
	counted := &watchCounter{Store: memstore.New()}
	a := startApp(t, r, counted)
	var ids []string
	for range watchedJobs {
		ids = append(ids, a.submit("/x", ""))
	}

	a.client.CloseIdleConnections()
	before, goroutines := inUse(), runtime.NumGoroutine()
	all := startCrowd(t, strings.TrimPrefix(a.url, "http://"), ids)
	each := (inUse() - before) / watchers
	t.Logf("%d B for each of %d watchers", each, watchers)
	assert.LessOrEqual(t, each, int64(bytesPerWatcher))
	assert.EqualValues(t, watchedJobs, counted.open.Load(), "one subscription for a job, however many watch it")
	assert.Equal(t, watchers, a.jobs.Watchers())

	ended := make(chan error, 1)
	go func() { ended <- a.jobs.Shutdown(t.Context()) }()
	all.ends()
	close(release)
	require.NoError(t, <-ended)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines }, patience, time.Millisecond)
	assert.Zero(t, counted.open.Load())
	assert.Zero(t, a.jobs.Watchers())
}

// watchCounter counts subscriptions.
type watchCounter struct {
	store.Store
	open atomic.Int64
}

func (s *watchCounter) Watch(ctx context.Context, id string) (<-chan struct{}, error) {
	s.open.Add(1)
	context.AfterFunc(ctx, func() { s.open.Add(-1) })
	return s.Store.Watch(ctx, id)
}

// inUse is the memory of heap and stacks, in bytes.
func inUse() int64 {
	var m runtime.MemStats
	for range 3 { // pools keep things for two, and each halves stacks that are too large
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// crowd is a process of clients.
type crowd struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
}

// startCrowd starts the clients, and waits until each has its first event.
func startCrowd(t *testing.T, address string, ids []string) *crowd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAThousandWatchers$")
	cmd.Env = append(os.Environ(), watchersEnv+"="+address+" "+strings.Join(ids, " "))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &crowd{t, cmd, bufio.NewReader(out)}
	c.says("all watch")
	return c
}

// ends waits until all streams have ended as they should.
func (c *crowd) ends() {
	c.t.Helper()
	c.says("all ended")
	_, err := io.Copy(io.Discard, c.out)
	require.NoError(c.t, err)
	require.NoError(c.t, c.cmd.Wait())
}

func (c *crowd) says(want string) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err, line)
	require.Equal(c.t, want+"\n", line)
}

// beCrowd is what the clients do. They are no http.Client, which would need more memory
// than the machine may have.
func beCrowd(address string, ids []string) error {
	streams := make([]*bufio.Reader, watchers)
	for i := range streams {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"+
			"Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n", ids[i%len(ids)])
		streams[i] = bufio.NewReader(conn)
		if err := skipTo(streams[i], "data: "); err != nil {
			return err
		}
	}
	fmt.Println("all watch")
	for _, stream := range streams {
		if err := skipTo(stream, "0\r\n"); err != nil { // the last chunk
			return fmt.Errorf("a stream did not end in order: %w", err)
		}
	}
	fmt.Println("all ended")
	return nil
}

func skipTo(stream *bufio.Reader, prefix string) error {
	for {
		line, err := stream.ReadString('\n')
		if err != nil || strings.HasPrefix(line, prefix) {
			return err
		}
	}
}
