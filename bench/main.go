// Bench measures this library beside its peers and prints one table; see README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/rows"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// Exit codes.
const (
	met    = 0
	missed = 1 // a goal, or a row could not be measured
	wrong  = 2 // arguments
)

func main() {
	if site.IsChild() {
		os.Exit(serve(os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// serve is the program in a process of its own for a contestant. Its parent ends it.
func serve(stderr io.Writer) int {
	if err := site.Serve(context.Background()); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return missed
	}
	return met
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return met
	case err != nil:
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return wrong
	case cmd.list:
		list(stdout, cmd.rows)
		return met
	}
	since := time.Now()
	result, machine, err := measure(ctx, cmd, stderr)
	if err == nil {
		err = show(stdout, cmd, result, machine, time.Since(since))
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return missed
	case !result.Summary().OK():
		return missed
	}
	return met
}

// list says what the rows mean.
func list(w io.Writer, all []rows.Row) {
	for _, row := range all {
		fmt.Fprintf(w, "%-28s %-10s %s\n", row.Name, row.Unit, row.What)
	}
}

// measure goes through all rows, round by round.
func measure(ctx context.Context, cmd command, progress io.Writer) (result *table.Table, machine table.Machine, err error) {
	l, err := lab.Open(ctx, cmd.plan)
	if err != nil {
		return nil, table.Machine{}, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if machine, err = describe(ctx, l); err != nil {
		return nil, machine, err
	}
	result = &table.Table{}
	for _, row := range cmd.rows {
		result.Lines = append(result.Lines, row.Line())
	}
	for round := range cmd.plan.Rounds {
		l.NextRound()
		for i, row := range cmd.rows {
			if row.Long && round > 0 && !cmd.plan.Full {
				continue
			}
			fmt.Fprintf(progress, "round %d of %d: %s\n", round+1, cmd.plan.Rounds, row.Name)
			if err := row.Fill(ctx, l, round, result.Lines[i]); err != nil {
				return nil, machine, err
			}
		}
	}
	return result, machine, nil
}

func show(w io.Writer, cmd command, result *table.Table, machine table.Machine, took time.Duration) error {
	if cmd.json {
		return result.WriteJSON(w, machine, took)
	}
	fmt.Fprintf(w, "%s, %d cores, %s, Redis %s, medians of %d rounds\n\n",
		machine.CPU, machine.Cores, machine.Go, machine.Redis, cmd.plan.Rounds)
	if err := result.Write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", result.Summary().Text(took))
	return err
}
