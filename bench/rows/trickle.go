package rows

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// waits are how long the jobs of a trickle waited, in milliseconds.
type waits struct{ pickup, seen []float64 }

// trickle lets one process submit jobs with pauses, and watch them, and another one that
// is idle in between run them.
func trickle(ctx context.Context, l *lab.Lab, kind contestant.Kind) (waits, error) {
	return lab.Once(l, "trickle of "+string(kind), func() (waits, error) {
		return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (waits, error) {
			back, err := b.Open(ctx, kind, slots, lab.Stamped)
			if err != nil {
				return waits{}, err
			}
			front, err := b.Open(ctx, kind, 0, lab.Stamped)
			if err != nil {
				return waits{}, err
			}
			if err := warmUp(ctx, front, back); err != nil {
				return waits{}, err
			}
			if err := front.Trickle(ctx, site.Trickle{N: l.Pickups, Gap: l.Gap, Watch: true}); err != nil {
				return waits{}, err
			}
			return readWaits(ctx, front, back, l.Pickups)
		})
	})
}

// warmUp has one job run, so that connections are open and scripts are known.
func warmUp(ctx context.Context, front, back *site.Site) error {
	if _, err := front.Submit(ctx, site.Submission{N: 1, Producers: 1, First: warmUpSerial}); err != nil {
		return err
	}
	return back.Await(ctx, func(u site.Usage) bool { return u.Kept > 0 })
}

// warmUpSerial is that of no other job.
const warmUpSerial = 999_999_999

func readWaits(ctx context.Context, front, back *site.Site, n int) (waits, error) {
	sent, err := front.Stamps(ctx)
	if err != nil {
		return waits{}, err
	}
	ran, err := back.Stamps(ctx)
	if err != nil {
		return waits{}, err
	}
	var w waits
	for serial := range int64(n) {
		there, here := ran[serial], sent[serial]
		if there.Started.IsZero() || here.Seen.IsZero() {
			return waits{}, fmt.Errorf("job %d was not run, or not seen to be over", serial)
		}
		w.pickup = append(w.pickup, millis(there.Started.Sub(here.Submitted)))
		w.seen = append(w.seen, millis(here.Seen.Sub(there.Ended)))
	}
	if len(w.pickup) == 0 {
		return waits{}, errors.New("no jobs were submitted")
	}
	return w, nil
}

// waitRows makes rows of percentiles of what a trickle waited for.
func waitRows(name, what string, goals map[float64]table.Goal, values func(waits) []float64) []Row {
	var rows []Row
	for _, p := range []float64{50, 99, 100} {
		label := fmt.Sprintf("p%g", p)
		if p == 100 {
			label = "max"
		}
		row := Row{
			Name: name + "/" + label, Unit: "ms", What: what + ", " + label, Goal: goals[p], Long: true,
			Measure: make(map[table.Column]Measure),
		}
		for column, kind := range map[table.Column]contestant.Kind{table.Ours: contestant.GinAsync, table.Asynq: contestant.AsynqGin} {
			row.Measure[column] = func(ctx context.Context, l *lab.Lab) (float64, error) {
				w, err := trickle(ctx, l, kind)
				return table.Percentile(values(w), p), err
			}
		}
		rows = append(rows, row)
	}
	return rows
}
