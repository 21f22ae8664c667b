package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/rows"
)

// command is what the arguments ask for.
type command struct {
	plan       lab.Plan
	rows       []rows.Row
	json, list bool
}

// parse reads the arguments. Errors of the flags themselves are also printed.
func parse(args []string, stderr io.Writer) (command, error) {
	cmd := command{plan: lab.Default()}
	plan := &cmd.plan
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "measure the rows whose names match this regular expression only, such as ^jobs/")
	flags.BoolVar(&cmd.json, "json", false, "print JSON")
	flags.BoolVar(&cmd.list, "list", false, "print what the rows mean, and measure nothing")
	flags.IntVar(&plan.Rounds, "rounds", plan.Rounds, "how often to measure")
	flags.BoolVar(&plan.Full, "full", plan.Full, "measure long rows in every round too, and how long asynq takes to recover")
	flags.IntVar(&plan.Jobs, "n", plan.Jobs, "jobs of rows that count jobs")
	flags.DurationVar(&plan.Span, "span", plan.Span, "time of rows that count what is done in a time")
	flags.IntVar(&plan.Drain, "drain", plan.Drain, "queued jobs to drain")
	flags.IntVar(&plan.Held, "held", plan.Held, "running jobs to hold")
	flags.DurationVar(&plan.HeldSpan, "held-span", plan.HeldSpan, "how long to hold them")
	flags.IntVar(&plan.Pickups, "pickups", plan.Pickups, "jobs for an idle worker")
	flags.DurationVar(&plan.Gap, "gap", plan.Gap, "mean time between them")
	flags.Var((*sizes)(&plan.Processes), "processes", "numbers of processes, the first to compare with the others")
	flags.Var((*sizes)(&plan.Backlog), "backlog", "numbers of queued jobs, the first to compare with the others")
	if err := flags.Parse(args); err != nil {
		return command{}, err
	}
	if flags.NArg() > 0 {
		return command{}, fmt.Errorf("unexpected argument %q: all of them are flags, see -help", flags.Arg(0))
	}
	if err := plan.Validate(); err != nil {
		return command{}, err
	}
	var err error
	cmd.rows, err = choose(rows.All(cmd.plan), *only)
	return cmd, err
}

func choose(all []rows.Row, only string) ([]rows.Row, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	var chosen []rows.Row
	for _, row := range all {
		if pattern.MatchString(row.Name) {
			chosen = append(chosen, row)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-only %q matches no row: see -list", only)
	}
	return chosen, nil
}

// sizes are numbers with commas.
type sizes []int

func (s *sizes) String() string {
	var words []string
	for _, n := range *s {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ",")
}

// Set replaces them.
func (s *sizes) Set(text string) error {
	*s = nil
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil {
			return fmt.Errorf("%q is no number", word)
		}
		*s = append(*s, n)
	}
	return nil
}
