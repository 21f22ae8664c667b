package ginasync

import (
	"math/rand/v2"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// Status is the status document: what clients see of a job. Members that have no
// value yet are left out. Times are UTC, to the millisecond.
type Status struct {
	ID    string      `json:"id"`
	State store.State `json:"state"`
	// Done says that the state is terminal.
	Done bool `json:"done"`
	// Version counts the changes of the document; the ETag of the status route.
	Version int64 `json:"version"`
	// Route and Queue are those of the async route.
	Route string `json:"route"`
	Queue string `json:"queue"`
	// Attempt is the number of the latest attempt, 0 before the first; MaxAttempts
	// that of the last one there may be.
	Attempt     int        `json:"attempt"`
	MaxAttempts int        `json:"max_attempts"`
	CreatedAt   *time.Time `json:"created_at,omitempty"`
	// StartedAt is the start of the latest attempt.
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	// ExpiresAt is when a job that is over is removed.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// NextAttemptAt is when a scheduled job runs.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	// CancelRequestedAt is when a running job was asked to stop.
	CancelRequestedAt *time.Time      `json:"cancel_requested_at,omitempty"`
	Progress          *StatusProgress `json:"progress,omitempty"`
	Response          *StatusResponse `json:"response,omitempty"`
	// Error is why the latest attempt did not complete.
	Error *Problem `json:"error,omitempty"`
	// RetryAfter is when to ask again, in seconds. It is left out when it is 0: the job
	// is done, or the client has waited with Prefer and need not pause.
	RetryAfter int64 `json:"retry_after,omitempty"`
	Links      Links `json:"links"`
}

// StatusProgress is the latest progress report of a job.
type StatusProgress struct {
	Percent   float64    `json:"percent"`
	Message   string     `json:"message,omitempty"`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// StatusResponse sums up the result of a job.
type StatusResponse struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type,omitempty"`
	Bytes       int64  `json:"bytes"`
}

// statusOf makes the status document of a job for the client of c; nil: for nobody's
// request.
func (m *Manager) statusOf(c *gin.Context, job Job) Status {
	status := Status{
		ID: job.ID, State: job.State, Done: job.State.Terminal(), Version: job.Version,
		Route: job.Route, Queue: job.Queue, Attempt: job.Attempt, MaxAttempts: job.MaxAttempts,
		CreatedAt: instant(job.CreatedAt), StartedAt: instant(job.StartedAt),
		FinishedAt: instant(job.FinishedAt), ExpiresAt: instant(job.ExpiresAt),
		NextAttemptAt: instant(job.DueAt), CancelRequestedAt: instant(job.CancelRequestedAt),
		Links: m.linksOf(c, job),
	}
	if p := job.Progress; !p.UpdatedAt.IsZero() {
		status.Progress = &StatusProgress{Percent: p.Percent, Message: withoutSealed(p.Message, notOpened), UpdatedAt: instant(p.UpdatedAt)}
	}
	if r := job.Response; r.Status != 0 {
		status.Response = &StatusResponse{Status: r.Status, ContentType: withoutSealed(r.ContentType, ""), Bytes: r.Bytes}
	}
	if p := job.Problem; !p.IsZero() {
		problem := problemOfJob(p)
		status.Error = &problem
	}
	if !status.Done {
		status.RetryAfter = wholeSeconds(askAgainAfter(job, time.Now()))
	}
	return status
}

// problemOfJob shows why an attempt did not complete.
func problemOfJob(p store.Problem) Problem {
	return newProblem(p.Type, p.Status, p.Title, withoutSealed(p.Detail, notOpened))
}

// instant is t for JSON; nil when it has not come.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	shown := t.UTC().Truncate(time.Millisecond)
	return &shown
}

// askAgainAfter says when the next look at a job makes sense: soon for one that became
// ready or began a moment ago, less often the longer it takes, not before a scheduled one
// is due. Up to a fifth is added by chance, so that clients who began together do not
// come together.
func askAgainAfter(job Job, now time.Time) time.Duration {
	const longest = 25 * time.Second
	after := now.Sub(latest(job.CreatedAt, job.ReadyAt, job.StartedAt)) / 4
	if job.State == store.Scheduled {
		after = job.DueAt.Sub(now)
	}
	after = max(min(after, longest), 0)
	return after + time.Duration(rand.Float64()*float64(after)/5)
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
