package rows

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// Row is a row of the table.
type Row struct {
	Name, Unit string
	// What says what is measured, for people.
	What string
	Goal table.Goal
	// Long rows are measured in the first round only, unless the plan is full.
	Long bool
	// Measure says how each column is measured; a column that is missing is not.
	Measure map[table.Column]Measure
}

// Measure measures one value, in one round.
type Measure func(ctx context.Context, l *lab.Lab) (float64, error)

// concurrencies are how many jobs run, or clients ask, at once.
func concurrencies() []int { return []int{32, 128} }

// All returns all rows in the order of the table.
func All(plan lab.Plan) []Row {
	return slices.Concat(
		jobs(), cpu(), trips(), commands(),
		inMemory(), accepted(), statuses(),
		pickup(), seen(), recovered(plan),
		redisMemory(), processMemory(),
		drained(plan), held(plan),
		processes(plan), replicas(plan), backlog(plan),
	)
}

// Fill measures a row once and adds what came out to its line.
func (r Row) Fill(ctx context.Context, l *lab.Lab, round int, line *table.Line) error {
	columns := table.Columns()
	if round%2 == 1 { // whoever comes first in one round comes last in the next
		slices.Reverse(columns)
	}
	for _, column := range columns {
		measure := r.Measure[column]
		if measure == nil {
			continue
		}
		value, err := measure(ctx, l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line.Add(column, value, err)
	}
	return nil
}

// Line returns the row's empty line.
func (r Row) Line() *table.Line {
	return &table.Line{Row: r.Name, Unit: r.Unit, What: r.What, Goal: r.Goal}
}

// at names a row, or a measurement, by what it is of.
func at(name string, size int) string { return fmt.Sprintf("%s/%d", name, size) }
