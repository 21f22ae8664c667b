package table

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

type document struct {
	Machine Machine    `json:"machine"`
	Rows    []jsonLine `json:"rows"`
	Summary Summary    `json:"summary"`
	Seconds float64    `json:"seconds"`
}

// Machine says where the table was measured.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	Redis string `json:"redis"`
}

type jsonLine struct {
	Row     string                `json:"row"`
	Unit    string                `json:"unit"`
	What    string                `json:"what"`
	Goal    string                `json:"goal,omitempty"`
	Met     *bool                 `json:"met,omitempty"`
	Columns map[Column]jsonColumn `json:"columns"`
}

type jsonColumn struct {
	Median *float64   `json:"median"`
	Rounds []*float64 `json:"rounds"`
	// Ratio is our value divided by this one, the median over the rounds.
	Ratio *float64 `json:"ratio,omitempty"`
	Error string   `json:"error,omitempty"`
}

// WriteJSON prints the table for machines. A round that failed is null.
func (t *Table) WriteJSON(w io.Writer, machine Machine, took time.Duration) error {
	out := document{Machine: machine, Summary: t.Summary(), Seconds: took.Seconds(), Rows: []jsonLine{}}
	for _, line := range t.Lines {
		out.Rows = append(out.Rows, line.json())
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func (l *Line) json() jsonLine {
	out := jsonLine{
		Row: l.Row, Unit: l.Unit, What: l.What, Goal: l.Goal.String(),
		Columns: make(map[Column]jsonColumn),
	}
	if !l.Goal.IsZero() {
		met := l.Goal.Met(l)
		out.Met = &met
	}
	for column, values := range l.Values {
		c := jsonColumn{Median: finite(l.Median(column))}
		for _, v := range values {
			c.Rounds = append(c.Rounds, finite(v))
		}
		if column != Ours {
			c.Ratio = finite(l.Ratio(column))
		}
		if err := l.Failures[column]; err != nil {
			c.Error = err.Error()
		}
		out.Columns[column] = c
	}
	return out
}

// finite returns nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
