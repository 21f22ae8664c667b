package main

import (
	"bytes"
	"encoding/json"
	"image"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	goleak.VerifyTestMain(m)
}

// patience is for what takes milliseconds on a machine that is not busy.
const patience = 20 * time.Second

// TestProgram builds the program and uses it over HTTP, as its README does.
func TestProgram(t *testing.T) {
	binary := buildApp(t)
	service := startApp(t, binary)

	for format, photo := range map[string][]byte{"PNG": asPNG(t, gradient(300, 200)), "JPEG": asJPEG(t, gradient(300, 200))} {
		t.Run("a "+format+" becomes a thumbnail", func(t *testing.T) {
			becomesThumbnail(t, service, photo)
		})
	}
	t.Run("a text file fails with the answer of the handler", func(t *testing.T) {
		failsWithOwnAnswer(t, service)
	})
	t.Run("a report is summed up", func(t *testing.T) {
		isSummedUp(t, service)
	})
	t.Run("a report without a title becomes no job", func(t *testing.T) {
		becomesNoJob(t, service)
	})
	t.Run("flaky work succeeds at the third attempt", func(t *testing.T) {
		path := service.submit(t, post(t, service.url+"/flaky"))
		done := service.await(t, path, patience, inState("completed"))
		assert.Equal(t, 3, done.Attempt)
		assert.JSONEq(t, `{"attempt":3}`, string(service.get(t, path+"/result").body))
	})
	t.Run("quick work is answered itself, and as a job on a bad day", func(t *testing.T) {
		quick := service.send(t, post(t, service.url+"/quick"))
		assert.Equal(t, http.StatusOK, quick.StatusCode)
		assert.JSONEq(t, `{"seconds":0}`, string(quick.body))
		service.submit(t, post(t, service.url+"/quick?seconds=30"))
	})
	t.Run("its document describes every route", func(t *testing.T) {
		describesEveryRoute(t, service)
	})
	t.Run("slow work stops when it is cancelled", func(t *testing.T) {
		stopsWhenCancelled(t, service)
	})
	t.Run("a process without workers accepts jobs and runs none", func(t *testing.T) {
		accepting := startApp(t, binary, "-workers=false")
		path := accepting.submit(t, post(t, accepting.url+"/slow/0"))
		assert.Equal(t, "queued", accepting.status(t, path).State)
		assert.Zero(t, accepting.terminate(t, patience))
	})
	t.Run("all running jobs are finished before it exits", func(t *testing.T) {
		finishesAll(t, startApp(t, binary))
	})
}

func becomesThumbnail(t *testing.T, service *app, photo []byte) {
	path := service.submit(t, upload(t, service.url+"/thumbnails?width=64", "image", photo))
	service.await(t, path, patience, inState("completed"))
	result := service.get(t, path+"/result")
	assert.Equal(t, http.StatusOK, result.StatusCode)
	assert.Equal(t, "200", result.Header.Get("AsyncResult"))
	assert.Equal(t, "image/png", result.Header.Get("Content-Type"))
	cfg, format, err := image.DecodeConfig(bytes.NewReader(result.body))
	require.NoError(t, err)
	assert.Equal(t, "png", format)
	assert.Equal(t, 64, cfg.Width)
	assert.Equal(t, 43, cfg.Height)
}

func failsWithOwnAnswer(t *testing.T, service *app) {
	path := service.submit(t, upload(t, service.url+"/thumbnails?width=64", "image", []byte("no picture\n")))
	failed := service.await(t, path, patience, inState("failed"))
	assert.Equal(t, 1, failed.Attempt)
	result := service.get(t, path+"/result")
	assert.Equal(t, http.StatusUnprocessableEntity, result.StatusCode)
	assert.Equal(t, "422", result.Header.Get("AsyncResult"))
	assert.Contains(t, string(result.body), "the file is no PNG or JPEG")
}

// reportBody is a request for a report.
func reportBody(t *testing.T, service *app, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, service.url+"/reports/2026", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	return req
}

func isSummedUp(t *testing.T, service *app) {
	path := service.submit(t, reportBody(t, service, `{"title":"sales","rows":[1,2,6]}`))
	done := service.await(t, path, patience, inState("completed"))
	assert.InDelta(t, 100, done.Progress.Percent, 0.001)
	result := service.get(t, path+"/result")
	assert.JSONEq(t, `{"year":2026,"title":"sales","count":3,"sum":9,"mean":3}`, string(result.body))
}

func becomesNoJob(t *testing.T, service *app) {
	refused := service.send(t, reportBody(t, service, `{"rows":[1]}`))
	assert.Equal(t, http.StatusBadRequest, refused.StatusCode)
	assert.Equal(t, "application/problem+json", refused.Header.Get("Content-Type"))
	assert.Contains(t, string(refused.body), "title")
	assert.Empty(t, refused.Header.Get("Location"))
}

func describesEveryRoute(t *testing.T, service *app) {
	shown := service.get(t, "/jobs/openapi.json")
	require.Equal(t, http.StatusOK, shown.StatusCode)
	var document struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(shown.body, &document))
	assert.Regexp(t, `^3\.1\.`, document.OpenAPI)
	for _, path := range []string{"/thumbnails", "/reports/{year}", "/slow/{seconds}", "/quick", "/flaky", "/jobs/{id}/cancel"} {
		assert.Contains(t, document.Paths[path], "post", path)
	}
}

func stopsWhenCancelled(t *testing.T, service *app) {
	path := service.submit(t, post(t, service.url+"/slow/30"))
	service.await(t, path, patience, func(j job) bool { return j.State == "in_progress" && j.Progress.Percent > 0 })
	asked := service.send(t, post(t, service.url+path+"/cancel"))
	assert.Equal(t, http.StatusAccepted, asked.StatusCode, "%s", asked.body)
	service.await(t, path, time.Second, inState("canceled"))
	again := service.send(t, post(t, service.url+path+"/cancel"))
	assert.Equal(t, http.StatusOK, again.StatusCode, "%s", again.body)
}

var finishedJob = regexp.MustCompile(`slow work finished job=(\S+)`)

// finishesAll terminates the program with ten jobs running. Nobody can ask for their
// states afterwards; the program logs each job that came to its end.
func finishesAll(t *testing.T, service *app) {
	const jobs = 10
	paths := make(map[string]bool)
	for range jobs {
		paths[service.submit(t, post(t, service.url+"/slow/2"))] = false
	}
	for path := range paths {
		service.await(t, path, patience, func(j job) bool { return j.State != "queued" })
	}
	const grace = 30 * time.Second // the default
	assert.Zero(t, service.terminate(t, grace), service.logged())
	for _, match := range finishedJob.FindAllStringSubmatch(service.logged(), -1) {
		paths["/jobs/"+match[1]] = true
	}
	assert.Len(t, paths, jobs)
	for path, finished := range paths {
		assert.True(t, finished, "%s was lost:\n%s", path, service.logged())
	}
}
