package table

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Table is what one run of the program measured.
type Table struct {
	Lines []*Line
}

// Write prints the table, one line for each row, and below it what went wrong.
func (t *Table) Write(w io.Writer) error {
	grid := [][]string{header()}
	for _, line := range t.Lines {
		grid = append(grid, line.cells())
	}
	var text strings.Builder
	for _, cells := range grid {
		text.WriteString(align(cells, widths(grid)))
	}
	for _, line := range t.Lines {
		for _, column := range Columns() {
			if err := line.Failures[column]; err != nil {
				fmt.Fprintf(&text, "! %s, %s: %v\n", line.Row, column, err)
			}
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func header() []string {
	cells := []string{"row", "unit"}
	for _, column := range Columns() {
		cells = append(cells, string(column))
	}
	return append(cells, "× asynq", "× ceiling", "goal", "")
}

func (l *Line) cells() []string {
	cells := []string{l.Row, l.Unit}
	for _, column := range Columns() {
		cells = append(cells, l.cell(column))
	}
	for _, column := range []Column{Asynq, Ceiling} {
		cells = append(cells, l.ratioCell(column))
	}
	return append(cells, l.Goal.String(), l.verdict())
}

func (l *Line) cell(column Column) string {
	if l.Failures[column] != nil && len(numbers(l.Values[column])) == 0 {
		return "failed"
	}
	return number(l.Median(column))
}

// ratioCell is empty where a ratio means nothing: of shares.
func (l *Line) ratioCell(column Column) string {
	if l.Unit == "%" {
		return "-"
	}
	return number(l.Ratio(column))
}

func (l *Line) verdict() string {
	switch {
	case l.Failed():
		return "FAILED"
	case l.Goal.IsZero():
		return ""
	case l.Goal.Met(l):
		return "met"
	}
	return "MISSED"
}

// number shows three digits, or all of a larger number in groups of three; NaN: "-".
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case size >= 999.5:
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case size >= 99.95 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}

// align pads the cells of one line: texts to the left, numbers to the right.
func align(cells []string, width []int) string {
	var line strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		isNumber := i >= 2 && i < len(cells)-2
		if isNumber {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
		line.WriteString("  ")
	}
	return strings.TrimRight(line.String(), " ") + "\n"
}

func widths(grid [][]string) []int {
	width := make([]int, len(grid[0]))
	for _, cells := range grid {
		for i, cell := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	return width
}
