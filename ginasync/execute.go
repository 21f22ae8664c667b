package ginasync

import (
	"context"
	"errors"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
)

// workerRoute tells the worker how to run the jobs of a route.
func (m *Manager) workerRoute(name string) (worker.Route, bool) {
	r, ok := m.routes.Load().named(name)
	if !ok {
		return m.webhooks.route(name)
	}
	return m.webhooks.follow(r.worker, r), true
}

// attempts is how the worker runs the jobs of a route.
func (m *Manager) attempts(r *route) worker.Route {
	return worker.Route{
		Handle: func(ctx context.Context, claim store.Claim) worker.Report {
			return m.execute(ctx, r, claim)
		},
		Timeout: r.cfg.timeout,
		Backoff: r.cfg.backoff,
	}
}

// execute runs one attempt: the stored request goes through the route's handlers,
// and what they answer becomes the report.
func (m *Manager) execute(ctx context.Context, r *route, claim store.Claim) worker.Report {
	request, err := decodeSnapshot(claim.Request, claim.Envelope)
	if err != nil {
		return m.unreadable(claim, err)
	}
	keys, err := decodeKeys(request.keys, r.cfg.keys)
	if err != nil {
		return m.unreadable(claim, err)
	}
	restore := func(*gin.Context) {}
	if len(keys) > 0 {
		ctx = context.WithValue(ctx, capturedValues{}, keys)
		restore = func(c *gin.Context) {
			for name, value := range keys {
				c.Set(name, value)
			}
		}
	}
	sentTo := request.target()
	answer := m.replay.run(ctx, r.method, r.path, request, r.cfg.maxResult, restore)
	if answer.err != nil && ctx.Err() == nil {
		m.log.Warn("ginasync: handler reported an error", "job", claim.Job.ID, "route", r.name,
			"attempt", claim.Job.Attempt, "status", answer.status, "error", answer.err)
	}
	sentTo.keepMeaning(answer.header, m.cfg.baseURL)
	return r.report(answer)
}

// unreadable ends a job whose stored request makes no sense or does not open: no
// attempt will change that.
func (m *Manager) unreadable(claim store.Claim, err error) worker.Report {
	problem := store.Problem{
		Type: "request-unreadable", Title: "stored request cannot be read", Status: 500,
		Detail: "the request was stored by an incompatible version, or was damaged",
	}
	if errors.Is(err, errSealed) {
		err = m.keys.whySealed(claim.Request, claim.Envelope)
		problem = store.Problem{
			Type: "request-sealed", Title: "stored request cannot be opened", Status: 500,
			Detail: "it is encrypted with a key that the worker does not have, or was damaged",
		}
	}
	m.log.Error("ginasync: stored request cannot be read", "job", claim.Job.ID, "route", claim.Job.Route, "error", err)
	return worker.Report{Problem: problem}
}
