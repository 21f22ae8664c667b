package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
)

const (
	maxSeconds    = 3600
	progressEvery = 100 * time.Millisecond
)

// slow takes as many seconds as its path says and reports progress meanwhile. When
// its context is done, because the job was cancelled or its time is up, there is
// nobody to answer: it just returns.
func slow(c *gin.Context) {
	seconds, err := strconv.Atoi(c.Param("seconds"))
	if err != nil || seconds < 0 || seconds > maxSeconds {
		refuse(c, http.StatusBadRequest, fmt.Errorf("seconds must be a number from 0 to %d", maxSeconds))
		return
	}
	ctx := c.Request.Context()
	if !work(ctx, time.Duration(seconds)*time.Second) {
		return
	}
	if attempt, ok := ginasync.FromContext(ctx); ok {
		slog.InfoContext(ctx, "slow work finished", "job", attempt.ID)
	}
	c.String(http.StatusOK, "done after %d s\n", seconds)
}

// work lasts d and returns true, or false as soon as ctx is done.
func work(ctx context.Context, d time.Duration) bool {
	start := time.Now()
	ticks := time.NewTicker(progressEvery)
	defer ticks.Stop()
	for {
		gone := time.Since(start)
		if gone >= d {
			return true
		}
		percent := math.Round(1000*gone.Seconds()/d.Seconds()) / 10
		// Reports are a courtesy. Whether to go on is what the context says.
		_ = ginasync.Progress(ctx, percent, fmt.Sprintf("%.1f of %.0f s", gone.Seconds(), d.Seconds()))
		select {
		case <-ctx.Done():
			return false
		case <-ticks.C:
		}
	}
}
