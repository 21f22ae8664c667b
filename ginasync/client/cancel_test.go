package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	for name, test := range map[string]struct {
		opts     []client.Option
		canceled bool
	}{
		"and the job goes on":                  {nil, false},
		"and the job is canceled if asked for": {[]client.Option{client.WithCancel()}, true},
		"also with progress":                   {[]client.Option{client.WithCancel(), client.WithProgress(func(client.Status) {})}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeld()
			s := newService(t, func(r *gin.Engine) { r.POST("/held", ginasync.Async(h.handle)) })
			ctx, cancel := context.WithCancel(t.Context())
			done := background(newClient(t, test.opts...), request(t, http.MethodPost, s.url+"/held", "").WithContext(ctx))
			id := <-h.started
			s.awaitPoll()
			cancel()
			got := <-done
			require.ErrorIs(t, got.err, context.Canceled)
			var failed *client.JobError
			require.ErrorAs(t, got.err, &failed)
			assert.Equal(t, id, failed.ID)
			assert.Equal(t, s.url+"/jobs/"+id, failed.URL)
			if test.canceled {
				s.await(id, "canceled")
				return
			}
			h.release <- struct{}{}
			s.await(id, "completed")
		})
	}
}

func TestTheTimeoutOfTheClientEndsTheWait(t *testing.T) {
	h := newHeld()
	s := newService(t, func(r *gin.Engine) { r.POST("/held", ginasync.Async(h.handle)) })
	c := newClient(t, client.WithCancel())
	c.Timeout = time.Second
	resp, err := c.Do(request(t, http.MethodPost, s.url+"/held", ""))
	if err == nil {
		_ = resp.Body.Close()
	}
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	s.await(<-h.started, "canceled")
}

func TestACanceledJobIsAnError(t *testing.T) {
	for name, opts := range map[string][]client.Option{"while its result is waited for": nil, "while it is watched": {client.WithProgress(func(client.Status) {})}} {
		t.Run(name, func(t *testing.T) {
			h := newHeld()
			s := newService(t, func(r *gin.Engine) { r.POST("/held", ginasync.Async(h.handle)) })
			done := background(newClient(t, opts...), request(t, http.MethodPost, s.url+"/held", ""))
			id := <-h.started
			_, err := s.jobs.Cancel(t.Context(), id)
			require.NoError(t, err)
			got := <-done
			var failed *client.JobError
			require.ErrorAs(t, got.err, &failed)
			require.ErrorIs(t, got.err, client.ErrCanceled)
			assert.Equal(t, http.StatusConflict, failed.StatusCode)
			assert.True(t, strings.HasSuffix(failed.Problem.Type, "#job-canceled"))
			assert.ErrorContains(t, got.err, id)
			assert.False(t, failed.Timeout())
		})
	}
}
