package table

import (
	"fmt"
	"math"
	"strconv"
)

// Goal is what a row has to reach. The zero value asks for nothing.
type Goal struct {
	sense sense
	limit float64
	than  Column // the limit is a multiple of that column
}

type sense int

const (
	nothing sense = iota
	atLeast
	atMost
)

// AtLeast asks for our value to be limit or more.
func AtLeast(limit float64) Goal { return Goal{sense: atLeast, limit: limit} }

// AtMost asks for our value to be limit or less.
func AtMost(limit float64) Goal { return Goal{sense: atMost, limit: limit} }

// TimesAtLeast asks for our value to be factor times that of another column, or more,
// when both are measured in the same round.
func TimesAtLeast(factor float64, than Column) Goal {
	return Goal{sense: atLeast, limit: factor, than: than}
}

// IsZero reports whether the goal asks for nothing.
func (g Goal) IsZero() bool { return g.sense == nothing }

// Met reports whether a line reaches the goal. What was not measured reaches none.
func (g Goal) Met(line *Line) bool {
	value := line.Median(Ours)
	if g.than != "" {
		value = line.Ratio(g.than)
	}
	switch g.sense {
	case nothing:
		return true
	case atLeast:
		return !math.IsNaN(value) && value >= g.limit
	case atMost:
		return !math.IsNaN(value) && value <= g.limit
	}
	return false
}

// String says what is asked for, such as "≥ 10× asynq"; nothing: "".
func (g Goal) String() string {
	sign := map[sense]string{atLeast: "≥", atMost: "≤"}[g.sense]
	switch {
	case g.IsZero():
		return ""
	case g.than != "":
		return fmt.Sprintf("%s %s× %s", sign, whole(g.limit), g.than)
	}
	return sign + " " + whole(g.limit)
}

// whole shows all digits and no more.
func whole(v float64) string {
	if v >= 1000 {
		return number(v)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
