package chaos_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
)

// pair are the URLs of two processes on one Redis: here jobs are submitted and run, there
// they are followed.
type pair struct {
	t           *testing.T
	here, there string
}

const longestResult = 64 << 10

// contractRoutes answer what the query says.
func contractRoutes(r *gin.Engine) {
	r.Any("/v1/reports/:kind", ginasync.Async(func(c *gin.Context) {
		c.Header("Set-Cookie", "session=secret")
		c.Header("Access-Control-Allow-Origin", "*")
		switch c.Param("kind") {
		case "created":
			c.Header("Location", "../991?full=1")
			c.JSON(http.StatusCreated, gin.H{"id": 991})
		case "missing":
			c.String(http.StatusNotFound, "no such year")
		case "panic":
			panic("a secret")
		case "large":
			c.String(http.StatusOK, strings.Repeat("x", longestResult+1))
		case "held":
			_ = ginasync.Progress(c, 50, "half")
			<-c.Done()
		case "slow":
			<-time.After(500 * time.Millisecond)
			_ = ginasync.Progress(c, 50, "half")
			<-time.After(500 * time.Millisecond)
			c.String(http.StatusOK, "done")
		default:
			c.String(http.StatusOK, "0123456789")
		}
	}, ginasync.MaxAttempts(1), ginasync.MaxResult(longestResult)))
}

// reply is an answer that was read.
type reply struct {
	*http.Response
	body string
}

// call sends a request of ann, unless a header says another User.
func (p pair) call(method, target string, header ...string) reply {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	require.NoError(p.t, err)
	req.Header.Set("User", "ann")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return reply{resp, string(body)}
}

func (p pair) get(target string, header ...string) reply {
	p.t.Helper()
	return p.call(http.MethodGet, target, header...)
}

func (r reply) status(t *testing.T) (s ginasync.Status) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.body), &s), r.body)
	return s
}

// submit returns the path of a new job, as the 202 has it.
func (p pair) submit(kind string, header ...string) string {
	p.t.Helper()
	accepted := p.call(http.MethodPost, p.here+"/v1/reports/"+kind, header...)
	require.Equal(p.t, http.StatusAccepted, accepted.StatusCode, accepted.body)
	assert.Equal(p.t, accepted.Header.Get("Location"), accepted.Header.Get("Content-Location"))
	assert.Equal(p.t, "Prefer", accepted.Header.Get("Vary"))
	return accepted.Header.Get("Location")
}

// finished is submit, and waits there until the job is over.
func (p pair) finished(kind string, header ...string) string {
	p.t.Helper()
	path := p.submit(kind, header...)
	done := p.get(p.there+path, append(header, "Prefer", "wait=30")...)
	require.True(p.t, done.status(p.t).Done, done.body)
	return path
}

// held submits a job that ends when it is canceled, and waits there until it has
// reported.
func (p pair) held() string {
	p.t.Helper()
	path := p.submit("held")
	waitFor(p.t, func() error {
		if s := p.get(p.there + path).status(p.t); s.Progress == nil {
			return context.DeadlineExceeded
		}
		return nil
	})
	return path
}
