package store

import "slices"

const (
	defaultPageSize = 50
	maxPageSize     = 200
)

// PageSize is how many jobs a page of the query has at most: Limit, brought into
// its range. A limit below 1 means 50.
func (q Query) PageSize() int {
	if q.Limit < 1 {
		return defaultPageSize
	}
	return min(q.Limit, maxPageSize)
}

// Matches reports whether job belongs to the owner and passes the filter. The
// cursor and the limit do not matter.
func (q Query) Matches(job *Job) bool {
	return job.Owner == q.Owner &&
		(q.Route == "" || job.Route == q.Route) &&
		(len(q.States) == 0 || slices.Contains(q.States, job.State))
}
