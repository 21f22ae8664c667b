package ginasync_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listening reads the log until it names the address.
func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			go func() { // so that the logger never blocks
				for lines.Scan() {
				}
			}()
			return line.Addr
		}
	}
	require.Fail(t, "the log ended before it named the address")
	return ""
}

func TestRun(t *testing.T) {
	t.Run("serves, and on SIGTERM lets running jobs finish", func(t *testing.T) {
		running, finished := make(chan struct{}), make(chan struct{})
		r := gin.New()
		r.POST("/x", ginasync.Async(func(c *gin.Context) {
			close(running)
			<-finished
			c.String(http.StatusOK, "finished")
		}))
		reader, writer := io.Pipe()
		jobs, err := ginasync.New(r, ginasync.WithLogger(slog.New(slog.NewJSONHandler(writer, nil))))
		require.NoError(t, err)
		jobs.Routes(r.Group("/jobs"))
		ended := make(chan error, 1)
		go func() { ended <- jobs.Run("127.0.0.1:0"); _ = writer.Close() }()
		url := "http://" + listening(t, reader)

		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post(url+"/x", "", nil)
		require.NoError(t, err)
		var status ginasync.Status
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&status))
		require.NoError(t, resp.Body.Close())
		<-running
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
		require.Eventually(t, func() bool { // the port closes before the job ends
			resp, err := client.Get(url + "/jobs/" + status.ID)
			if err == nil {
				_ = resp.Body.Close()
			}
			return err != nil
		}, patience, 5_000_000)
		close(finished)
		require.NoError(t, <-ended)
		job, err := jobs.Get(t.Context(), status.ID)
		require.NoError(t, err)
		assert.EqualValues(t, "completed", job.State)
	})

	t.Run("lets no slow client take the time of running jobs", func(t *testing.T) {
		running, finished := make(chan struct{}), make(chan struct{})
		r := gin.New()
		r.POST("/x", ginasync.Async(func(*gin.Context) { close(running); <-finished }))
		r.POST("/y", ginasync.Async(text("")))
		reader, writer := io.Pipe()
		jobs, err := ginasync.New(r, ginasync.WithGrace(patience), ginasync.WithLogger(slog.New(slog.NewJSONHandler(writer, nil))))
		require.NoError(t, err)
		jobs.Routes(r.Group("/jobs"))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- jobs.RunUntil(ctx, "127.0.0.1:0"); _ = writer.Close() }()
		addr := listening(t, reader)

		slow, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer func() { _ = slow.Close() }()
		_, err = fmt.Fprint(slow, "POST /y HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post("http://"+addr+"/x", "", nil)
		require.NoError(t, err)
		var status ginasync.Status
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&status))
		require.NoError(t, resp.Body.Close())
		<-running
		stop()
		close(finished)
		require.NoError(t, <-ended, "a client that is cut off is no error")
		job, err := jobs.Get(t.Context(), status.ID)
		require.NoError(t, err)
		assert.EqualValues(t, "completed", job.State)
	})

	t.Run("is not held up by those who wait for a job", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(text(""), ginasync.OnPrefer()))
		reader, writer := io.Pipe()
		jobs, err := ginasync.New(r, ginasync.WithoutWorkers(), ginasync.WithLogger(slog.New(slog.NewJSONHandler(writer, nil))))
		require.NoError(t, err)
		jobs.Routes(r.Group("/jobs"))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- jobs.RunUntil(ctx, "127.0.0.1:0"); _ = writer.Close() }()
		a := &app{t: t, url: "http://" + listening(t, reader), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		id := a.submit("/x", "", "Prefer", "respond-async")

		stream, err := a.client.Get(a.url + "/jobs/" + id + "/events")
		require.NoError(t, err)
		defer func() { _ = stream.Body.Close() }()
		polled := make(chan int, 2)
		for _, path := range []string{"/jobs/" + id, "/jobs/" + id + "/result"} {
			go func() { polled <- a.get(path, "Prefer", "wait=30").StatusCode }()
		}
		submitted := make(chan int, 1)
		go func() { submitted <- a.post("/x", "").StatusCode }()
		require.Eventually(t, func() bool { return jobs.Watchers() == 4 }, patience, time.Millisecond)

		start := time.Now()
		stop()
		_, err = io.Copy(io.Discard, stream.Body)
		require.NoError(t, err)
		assert.ElementsMatch(t, []int{http.StatusOK, http.StatusConflict}, []int{<-polled, <-polled})
		assert.Equal(t, http.StatusServiceUnavailable, <-submitted)
		require.NoError(t, <-ended)
		assert.Less(t, time.Since(start), 4*time.Second, "requests are cut off after 5 s")
	})

	t.Run("says what is wrong with the address or the routes", func(t *testing.T) {
		r := gin.New()
		jobs, err := ginasync.New(r)
		require.NoError(t, err)
		require.Error(t, jobs.Run("no such address"))
		r.POST("/x", ginasync.Async(nil))
		require.ErrorContains(t, jobs.Run("127.0.0.1:0"), "the handler is nil")
	})

	t.Run("makes Shutdown before Start nothing", func(t *testing.T) {
		jobs, err := ginasync.New(gin.New())
		require.NoError(t, err)
		require.NoError(t, jobs.Shutdown(t.Context()))
	})
}

func ExampleAsync() {
	r := gin.New()
	r.POST("/reports/:year", ginasync.Async(func(c *gin.Context) {
		c.String(http.StatusOK, "report of "+c.Param("year"))
	}))
	jobs, err := ginasync.New(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs.Routes(r.Group("/jobs"))
	// jobs.Run(":8080") serves until SIGTERM.
	fmt.Println(len(r.Routes()) > 1)
	// Output: true
}
