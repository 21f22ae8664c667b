package table

import (
	"fmt"
	"strings"
	"time"
)

// Summary counts the goals that are met.
type Summary struct {
	Met int `json:"met"`
	// Missed and Failed name the rows that miss their goal, and those of which we could
	// not be measured.
	Missed []string `json:"missed"`
	Failed []string `json:"failed"`
}

// Summary sums the table up.
func (t *Table) Summary() Summary {
	s := Summary{Missed: []string{}, Failed: []string{}}
	for _, line := range t.Lines {
		switch {
		case line.Failed():
			s.Failed = append(s.Failed, line.Row)
		case line.Goal.IsZero():
		case line.Goal.Met(line):
			s.Met++
		default:
			s.Missed = append(s.Missed, line.Row)
		}
	}
	return s
}

// OK reports whether every row was measured and meets its goal.
func (s Summary) OK() bool { return len(s.Missed) == 0 && len(s.Failed) == 0 }

// Text is the last line of the output.
func (s Summary) Text(took time.Duration) string {
	parts := []string{fmt.Sprintf("goals: %d met, %d missed", s.Met, len(s.Missed))}
	if len(s.Missed) > 0 {
		parts = append(parts, " ("+strings.Join(s.Missed, ", ")+")")
	}
	if len(s.Failed) > 0 {
		parts = append(parts, fmt.Sprintf(", %d rows failed (%s)", len(s.Failed), strings.Join(s.Failed, ", ")))
	}
	return strings.Join(parts, "") + ", in " + took.Round(time.Second).String()
}
