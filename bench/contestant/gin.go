package contestant

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

// bareGin answers what ginasync does, and stores nothing: the bound of an HTTP server.
type bareGin struct{ engine *gin.Engine }

func openGin() *bareGin {
	engine := gin.New()
	engine.POST(route, func(c *gin.Context) {
		if _, err := c.GetRawData(); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		status := sameStatus(store.Queued)
		c.Header("Vary", "Prefer")
		c.Header("Location", status.Links.Self)
		c.Header("Content-Location", status.Links.Self)
		c.Header("Cache-Control", "no-store")
		c.Header("Retry-After", "1")
		c.JSON(http.StatusAccepted, &status)
	})
	engine.GET(StatusPath+":id", func(c *gin.Context) {
		status := sameStatus(store.Completed)
		c.Header("ETag", `"3"`)
		c.Header("Cache-Control", "private, no-cache")
		c.JSON(http.StatusOK, &status)
	})
	return &bareGin{engine: engine}
}

// sameStatus is a status document as large as a real one.
func sameStatus(state store.State) ginasync.Status {
	now := time.Now().UTC().Truncate(time.Millisecond)
	self := StatusPath + "abcdefghijklmnopqrstuvwxyz2"
	status := ginasync.Status{
		ID: "abcdefghijklmnopqrstuvwxyz2", State: state, Done: state.Terminal(), Version: 1,
		Route: routeName, Queue: queueName, MaxAttempts: 4, CreatedAt: &now,
		Links: ginasync.Links{Self: self, Result: self + "/result"},
	}
	if status.Done {
		status.Attempt, status.StartedAt, status.FinishedAt, status.ExpiresAt = 1, &now, &now, &now
		status.Response = &ginasync.StatusResponse{Status: http.StatusOK, ContentType: "text/plain", Bytes: ResultSize}
	} else {
		status.RetryAfter, status.Links.Cancel = 1, self+"/cancel"
	}
	return status
}

// Submit is not for a contestant that stores nothing.
func (g *bareGin) Submit(context.Context, []byte) (string, error) {
	return "", errors.New("a bare Gin route stores no jobs")
}

func (g *bareGin) Handler() http.Handler { return g.engine }

func (g *bareGin) Close(context.Context) error { return nil }
