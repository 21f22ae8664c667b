package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/site"
)

// TestMain lets this test program be a site, as the benchmark itself can.
func TestMain(m *testing.M) {
	if site.IsChild() {
		os.Exit(serve(os.Stderr))
	}
	os.Exit(m.Run())
}

// TestEachRowIsMeasured runs the whole program with sizes so small that the numbers mean
// nothing. It needs redis-server.
func TestEachRowIsMeasured(t *testing.T) {
	var out, progress bytes.Buffer
	code := run(t.Context(), []string{
		"-json", "-rounds", "1", "-n", "50", "-span", "100ms", "-drain", "200", "-held", "50", "-held-span", "50ms",
		"-pickups", "3", "-gap", "5ms", "-processes", "1,2", "-backlog", "10,50",
	}, &out, &progress)
	require.NotEqual(t, wrong, code, progress.String())
	var read struct {
		Rows []struct {
			Row     string
			Columns map[string]struct {
				Median *float64
				Error  string
			}
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &read), progress.String())
	require.Greater(t, len(read.Rows), 60)
	for _, row := range read.Rows {
		require.Contains(t, row.Columns, "gin-async", row.Row)
		for column, cell := range row.Columns {
			require.Empty(t, cell.Error, "%s of %s", row.Row, column)
			require.NotNil(t, cell.Median, "%s of %s", row.Row, column)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"a list is asked for":    {[]string{"-list"}, met},
		"help is asked for":      {[]string{"-help"}, met},
		"a flag is unknown":      {[]string{"-unknown"}, wrong},
		"an argument is no flag": {[]string{"jobs"}, wrong},
		"a number is too small":  {[]string{"-rounds", "0"}, wrong},
		"a size is too small":    {[]string{"-backlog", "10,0"}, wrong},
		"a size is no number":    {[]string{"-processes", "a"}, wrong},
		"no row matches":         {[]string{"-only", "^none$"}, wrong},
		"a pattern is not one":   {[]string{"-only", "("}, wrong},
		"a goal is missed":       {[]string{"-rounds", "1", "-span", "20ms", "-only", "^jobs-memory/gin/32$"}, missed},
		"nothing has a goal":     {[]string{"-rounds", "1", "-span", "20ms", "-only", "^http-status/memory/32$"}, met},
	} {
		t.Run(name, func(t *testing.T) {
			var out, said bytes.Buffer
			require.Equal(t, c.want, run(t.Context(), c.args, &out, &said), said.String())
			if c.want == wrong {
				require.NotEmpty(t, said.String(), "it is said what is wrong")
			}
		})
	}
}

func TestTheLastLineIsTheSummary(t *testing.T) {
	var out, said bytes.Buffer
	run(t.Context(), []string{"-rounds", "1", "-span", "20ms", "-only", "^jobs-memory/gin/32$"}, &out, &said)
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Regexp(t, `^goals: \d+ met, \d+ missed.*, in \d+s$`, string(lines[len(lines)-1]))
}

func TestNamesOfRowsAreUnique(t *testing.T) {
	cmd, err := parse(nil, os.Stderr)
	require.NoError(t, err)
	seen := make(map[string]bool)
	for _, row := range cmd.rows {
		require.False(t, seen[row.Name], row.Name)
		seen[row.Name] = true
		require.NotEmpty(t, row.Unit, row.Name)
		require.NotEmpty(t, row.What, row.Name)
	}
}
