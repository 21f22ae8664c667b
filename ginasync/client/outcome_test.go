package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswersThatEndTheWait(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		is     error
		says   string
	}{
		"404":                        {says(404, `{"title":"Job not found"}`, "Content-Type", "application/problem+json"), client.ErrGone, "Job not found"},
		"410":                        {says(410, ""), client.ErrGone, "(410 Gone)"},
		"409 that will stay":         {says(409, "own words"), client.ErrCanceled, "canceled"},
		"401":                        {says(401, ""), nil, "(401 Unauthorized)"},
		"403":                        {says(403, `{"title":"no","detail":"not yours"}`, "Content-Type", "application/json"), nil, "no: not yours"},
		"a redirect of a proxy":      {says(301, "", "Location", "http://elsewhere.test/"), nil, "(301 Moved Permanently)"},
		"200 without AsyncResult":    {says(200, "<html>"), nil, "none of a job (200 OK)"},
		"200 without end":            {says(200, strings.Repeat("x", 1<<20)), nil, "none of a job (200 OK)"},
		"a problem that is no JSON":  {says(400, "<html>", "Content-Type", "application/problem+json"), nil, "(400 Bad Request)"},
		"a status that is no status": {says(299, ""), nil, "(299 )"},
	} {
		for with, opts := range map[string][]client.Option{"": nil, ", with progress": {client.WithProgress(func(client.Status) {})}} {
			t.Run(name+with, func(t *testing.T) {
				s := &script{replies: []reply{accepted, test.answer}}
				play(t, s, func(t *testing.T, _ *http.Response, err error) {
					var failed *client.JobError
					require.ErrorAs(t, err, &failed)
					if test.is != nil && (with == "" || failed.StatusCode != http.StatusConflict) {
						require.ErrorIs(t, err, test.is)
						require.ErrorContains(t, err, test.says)
					}
					assert.LessOrEqual(t, len(s.sent), 3)
				}, opts...)
			})
		}
	}
}

func TestAJobThatWasCanceledBeforeIsAnError(t *testing.T) {
	s := &script{replies: []reply{
		accepts(`{"id":"j1","state":"canceled","done":true,"links":{"self":"/jobs/j1"}}`),
	}}
	play(t, s, func(t *testing.T, _ *http.Response, err error) {
		require.ErrorIs(t, err, client.ErrCanceled)
		assert.Len(t, s.sent, 1)
	}, client.WithProgress(func(client.Status) {}))
}

func TestACancellationTakesThreeSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{replies: []reply{accepted, finished.after(time.Hour)}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		req := request(t, http.MethodPost, "http://api.test/", "").WithContext(ctx)
		req.Header.Set("Authorization", "Bearer t1")
		_, err := client.New(client.WithBase(s), client.WithCancel()).RoundTrip(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 13*time.Second, time.Since(start))
		last := s.sent[len(s.sent)-1]
		assert.Equal(t, "POST http://api.test/jobs/j1/cancel", last.Method+" "+last.URL.String())
		assert.Equal(t, "Bearer t1", last.Header.Get("Authorization"))
	})
}

func TestWithoutACancelLinkNothingIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{replies: []reply{
			accepts(`{"id":"j1","state":"queued","links":{"self":"/jobs/j1","result":"/r"}}`), finished.after(time.Hour),
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.New(client.WithBase(s), client.WithCancel()).RoundTrip(request(t, http.MethodPost, "http://api.test/", "").WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, s.sent, 2)
	})
}
