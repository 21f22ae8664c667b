package main

import (
	"context"
	"errors"
	"math"

	"github.com/asyncendpoints/gin-async/ginasync"
)

// reportRequest is bound and checked when it is submitted: a request that breaks a
// rule is answered 400 and becomes no job.
type reportRequest struct {
	Year  int       `uri:"year" json:"-" binding:"min=1,max=9999"`
	Title string    `json:"title" binding:"required"`
	Rows  []float64 `json:"rows"`
}

type report struct {
	Year  int      `json:"year"`
	Title string   `json:"title"`
	Count int      `json:"count"`
	Sum   float64  `json:"sum"`
	Mean  *float64 `json:"mean"` // null: no rows
}

// errOutOfRange is permanent: adding the same rows again gives the same sum.
var errOutOfRange = errors.New("the sum of the rows is out of range")

// buildReport sums up the rows, and says how far it is after each tenth of them.
func buildReport(ctx context.Context, req reportRequest) (report, error) {
	r := report{Year: req.Year, Title: req.Title, Count: len(req.Rows)}
	step := max(1, len(req.Rows)/10)
	for i, row := range req.Rows {
		r.Sum += row
		if done := i + 1; done%step == 0 {
			if err := ginasync.Progress(ctx, 100*float64(done)/float64(len(req.Rows)), "adding up"); err != nil {
				return report{}, err
			}
		}
	}
	if math.IsInf(r.Sum, 0) {
		return report{}, ginasync.Permanent(errOutOfRange)
	}
	if r.Count > 0 {
		r.Mean = new(r.Sum / float64(r.Count))
	}
	return r, nil
}
