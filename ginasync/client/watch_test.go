package client_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	told := make(chan client.Status, 100)
	reported := make(chan struct{})
	s := newService(t, func(r *gin.Engine) {
		r.POST("/async", ginasync.Async(func(c *gin.Context) {
			_ = ginasync.Progress(c.Request.Context(), 42, "adding rows")
			<-reported
			c.String(http.StatusUnprocessableEntity, "no")
		}))
	})
	release := sync.OnceFunc(func() { close(reported) })
	c := newClient(t, client.WithProgress(func(status client.Status) {
		told <- status
		if status.Progress.Percent == 42 {
			release()
		}
	}))
	got := s.post(c, "/async", "")
	assert.Equal(t, "no", got.body)
	close(told)
	var versions []int64
	var last client.Status
	for status := range told {
		assert.NotContains(t, versions, status.Version)
		versions, last = append(versions, status.Version), status
	}
	assert.IsIncreasing(t, versions)
	assert.True(t, last.Done)
	assert.Equal(t, "failed", last.State)
	assert.Equal(t, 1, last.Attempt)
	assert.Equal(t, "adding rows", last.Progress.Message)
	require.NotNil(t, last.Error)
	assert.Contains(t, last.Error.Detail, "422")
	assert.Equal(t, "/jobs/"+last.ID, last.Links.Self)
}
