package contestant

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/hibiken/asynq"
)

// asynqGin is asynq behind Gin, wired by hand: one route that enqueues the body under an
// id of its own, one that asks the Inspector for the state, one for the result.
type asynqGin struct {
	*bareAsynq
	engine *gin.Engine
}

func openAsynqGin(setup Setup, work Work) (*asynqGin, error) {
	bare, err := openAsynq(setup, work)
	if err != nil {
		return nil, err
	}
	a := &asynqGin{bareAsynq: bare, engine: gin.New()}
	a.engine.POST(route, a.accept)
	a.engine.GET(StatusPath+":id", a.status)
	a.engine.GET(StatusPath+":id/result", a.result)
	return a, nil
}

// asynqStatus is what its users tell of a task.
type asynqStatus struct {
	ID          string    `json:"id"`
	State       string    `json:"state"`
	Retried     int       `json:"retried"`
	MaxRetry    int       `json:"max_retry"`
	LastError   string    `json:"last_error,omitempty"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Links       asynqURLs `json:"links"`
}

type asynqURLs struct {
	Self   string `json:"self"`
	Result string `json:"result"`
}

func statusOfTask(info *asynq.TaskInfo) *asynqStatus {
	self := StatusPath + info.ID
	return &asynqStatus{
		ID: info.ID, State: info.State.String(), Retried: info.Retried, MaxRetry: info.MaxRetry,
		LastError: info.LastErr, CompletedAt: info.CompletedAt,
		Links: asynqURLs{Self: self, Result: self + "/result"},
	}
}

func (a *asynqGin) accept(c *gin.Context) {
	body, err := c.GetRawData()
	if err != nil {
		c.AbortWithStatus(http.StatusBadRequest)
		return
	}
	info, err := a.enqueue(c.Request.Context(), body)
	if err != nil {
		c.AbortWithStatus(http.StatusServiceUnavailable)
		return
	}
	status := statusOfTask(info)
	c.Header("Location", status.Links.Self)
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusAccepted, status)
}

func (a *asynqGin) status(c *gin.Context) {
	if info := a.find(c); info != nil {
		c.JSON(http.StatusOK, statusOfTask(info))
	}
}

func (a *asynqGin) result(c *gin.Context) {
	info := a.find(c)
	switch {
	case info == nil:
	case info.State != asynq.TaskStateCompleted:
		c.AbortWithStatus(http.StatusConflict)
	default:
		c.Data(http.StatusOK, "text/plain", info.Result)
	}
}

// find answers the request itself when there is nothing to return.
func (a *asynqGin) find(c *gin.Context) *asynq.TaskInfo {
	info, err := a.inspector.GetTaskInfo(queueName, c.Param("id"))
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound):
		c.AbortWithStatus(http.StatusNotFound)
	case err != nil:
		c.AbortWithStatus(http.StatusServiceUnavailable)
	default:
		return info
	}
	return nil
}

func (a *asynqGin) Submit(ctx context.Context, body []byte) (string, error) {
	return submit(ctx, a.engine, body)
}

func (a *asynqGin) Handler() http.Handler { return a.engine }
