package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// isFollowedFromElsewhere waits for a job, and streams it, at a process that does not run
// it; the stream goes on at the other one.
func isFollowedFromElsewhere(t *testing.T, binary string) {
	server := redistest.Start(t)
	running := onRedis(t, binary, server)
	other := onRedis(t, binary, server, "-workers=false")

	path := running.submit(t, post(t, running.url+"/slow/3"))
	seen := other.events(t, path, 0, 3)
	seen = append(seen, running.events(t, path, seen[len(seen)-1], 2)...)
	last := other.events(t, path, seen[len(seen)-1], 1000)
	seen = append(seen, last...)
	assert.IsIncreasing(t, seen, "nothing is shown twice, wherever the client comes back")
	done := other.status(t, path)
	assert.Equal(t, "completed", done.State, "the stream has ended with the job")
	assert.EqualValues(t, done.Version, seen[len(seen)-1])
	for _, service := range []*app{running, other} {
		assert.Empty(t, service.events(t, path, seen[len(seen)-1], 1), "who has seen the end need not come back")
	}

	path = running.submit(t, post(t, running.url+"/slow/1"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other.url+path+"/result", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Prefer", "wait=30")
	result := other.send(t, req)
	assert.Equal(t, "200", result.Header.Get("AsyncResult"))
	assert.Equal(t, "wait=30", result.Header.Get("Preference-Applied"))
	assert.Equal(t, "done after 1 s\n", string(result.body))
}

// events reads at most n events of a job after the one with an id, and returns their ids.
// Then it cuts the connection, if the stream has not ended.
func (a *app) events(t *testing.T, path string, after int64, n int) []int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience+10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path+"/events", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/event-stream")
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var ids []int64
	lines := bufio.NewScanner(resp.Body)
	for len(ids) < n && lines.Scan() {
		if text, is := strings.CutPrefix(lines.Text(), "id: "); is {
			id, err := strconv.ParseInt(text, 10, 64)
			require.NoError(t, err)
			ids = append(ids, id)
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, ids)
	return ids
}
