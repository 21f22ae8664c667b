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
	seconds, ok := secondsOf(c, c.Param("seconds"))
	if !ok {
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

// quick takes no time, or ?seconds= when it has a bad day. Its route waits for it for a
// while: clients get this answer itself unless it takes longer.
func quick(c *gin.Context) {
	seconds, ok := secondsOf(c, c.DefaultQuery("seconds", "0"))
	if ok && work(c.Request.Context(), time.Duration(seconds)*time.Second) {
		c.JSON(http.StatusOK, gin.H{"seconds": seconds})
	}
}

// secondsOf reads how long work takes. It answers the request when that is no number of
// seconds.
func secondsOf(c *gin.Context, text string) (seconds int, ok bool) {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		refuse(c, http.StatusBadRequest, fmt.Errorf("seconds must be a number from 0 to %d", maxSeconds))
		return 0, false
	}
	return seconds, true
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
