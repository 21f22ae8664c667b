package table

import "math"

// Column names who was measured.
type Column string

// The columns, from left to right.
const (
	Ours      Column = "gin-async"
	Asynq     Column = "asynq"
	Machinery Column = "machinery"
	// Ceiling is what bounds the row: a bare Gin route, or a loop that sends Redis the
	// same commands and does nothing else.
	Ceiling Column = "ceiling"
)

// Columns returns all columns from left to right.
func Columns() []Column { return []Column{Ours, Asynq, Machinery, Ceiling} }

// Line is one row of the table as measured.
type Line struct {
	Row, Unit, What string
	Goal            Goal
	// Values are those of each round, by column. NaN stands for a round that failed.
	Values map[Column][]float64
	// Failures are the latest errors by column.
	Failures map[Column]error
}

// Add notes the value of a further round, or why there is none.
func (l *Line) Add(column Column, value float64, err error) {
	if err != nil {
		if l.Failures == nil {
			l.Failures = make(map[Column]error)
		}
		l.Failures[column] = err
		value = math.NaN()
	}
	if l.Values == nil {
		l.Values = make(map[Column][]float64)
	}
	l.Values[column] = append(l.Values[column], value)
}

// Median returns the median of the rounds that did not fail, and NaN for none.
func (l *Line) Median(column Column) float64 { return Median(numbers(l.Values[column])) }

// Ratio returns the median over the rounds of our value divided by that of the other
// column in the same round, so that what slows a whole round down does not count.
func (l *Line) Ratio(other Column) float64 {
	var ratios []float64
	ours, theirs := l.Values[Ours], l.Values[other]
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] != 0 {
			ratios = append(ratios, ours[i]/theirs[i])
		}
	}
	return Median(numbers(ratios))
}

// Failed reports whether we could not be measured.
func (l *Line) Failed() bool { return l.Failures[Ours] != nil }

// numbers leaves out what is not a number.
func numbers(values []float64) []float64 {
	var kept []float64
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept = append(kept, v)
		}
	}
	return kept
}
