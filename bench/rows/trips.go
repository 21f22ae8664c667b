package rows

import "github.com/asyncendpoints/gin-async/bench/table"

// trips: how often a job has Redis called; several share a call. machinery makes its
// connections itself, so its calls cannot be counted.
func trips() []Row {
	rows := flowRows("trips", "calls/job", "calls to Redis, of a job", table.Goal{}, callsPerJob)
	for _, row := range rows {
		delete(row.Measure, table.Machinery)
	}
	return rows
}
