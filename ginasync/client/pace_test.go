package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPollsKeepToTheServersPace(t *testing.T) {
	slow := says(http.StatusConflict, "", "Retry-After", "0")
	for name, test := range map[string]struct {
		answer   reply
		opts     []client.Option
		from, to time.Duration
	}{
		"no pause after a long poll":             {unfinished.after(30 * time.Second), nil, 30 * time.Second, 30 * time.Second},
		"Retry-After where nothing waits":        {says(409, "", "Retry-After", "7"), nil, 7 * time.Second, 8 * time.Second},
		"a second at least":                      {slow, nil, time.Second, 1100*time.Millisecond + 1},
		"a second at least without a long poll":  {slow, []client.Option{client.WithWait(0)}, time.Second, 1100*time.Millisecond + 1},
		"a second less what the poll took":       {slow.after(600 * time.Millisecond), nil, time.Second, 1100 * time.Millisecond},
		"an hour at most":                        {says(409, "", "Retry-After", "4000000000"), nil, time.Hour, 66*time.Minute + 1},
		"a date, by the clock of the server":     {says(409, "", "Retry-After", "Tue, 24 Nov 2026 06:00:09 GMT", "Date", "Tue, 24 Nov 2026 06:00:00 GMT"), nil, 9 * time.Second, 10 * time.Second},
		"a busy server's Retry-After":            {says(503, "", "Retry-After", "9"), nil, 9 * time.Second, 10 * time.Second},
		"a rate limit's Retry-After":             {says(429, "", "Retry-After", "9"), nil, 9 * time.Second, 10 * time.Second},
		"half a second, about, after a failure":  {says(502, ""), nil, 375 * time.Millisecond, 500 * time.Millisecond},
		"the same when the connection is broken": {breaks(io.ErrUnexpectedEOF), nil, 375 * time.Millisecond, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{replies: []reply{accepted, test.answer, finished}}
			play(t, s, func(t *testing.T, resp *http.Response, err error) {
				require.NoError(t, err)
				assert.Equal(t, "done", read(t, resp).body)
				pauses := s.pauses()
				assert.Zero(t, pauses[0], "the first poll follows at once")
				assert.GreaterOrEqual(t, pauses[1], test.from)
				assert.LessOrEqual(t, pauses[1], test.to)
			}, test.opts...)
		})
	}
}

func TestWait(t *testing.T) {
	for wait, prefer := range map[time.Duration]string{
		5 * time.Second: "wait=5", 2500 * time.Millisecond: "wait=2", 90 * time.Second: "wait=90",
		999 * time.Millisecond: "", 0: "", -time.Second: "",
	} {
		s := &script{replies: []reply{accepted, finished}}
		play(t, s, func(t *testing.T, _ *http.Response, err error) {
			require.NoError(t, err)
			assert.Equal(t, prefer, s.sent[1].Header.Get("Prefer"))
		}, client.WithWait(wait))
	}
}

func TestPollsThatAreCutOffBecomeShorter(t *testing.T) {
	cut := says(http.StatusGatewayTimeout, "").after(10 * time.Second)
	s := &script{replies: []reply{accepted, cut, cut, cut, cut, cut, finished}}
	play(t, s, func(t *testing.T, _ *http.Response, err error) {
		require.NoError(t, err)
		var waits []string
		for _, poll := range s.sent[1:] {
			waits = append(waits, poll.Header.Get("Prefer"))
		}
		assert.Equal(t, []string{"wait=30", "wait=15", "wait=7", "wait=3", "wait=1", ""}, waits)
	})
}

func TestPollsThatFailAtOnceStayAsTheyAre(t *testing.T) {
	s := &script{replies: []reply{accepted, says(http.StatusBadGateway, ""), breaks(io.ErrUnexpectedEOF), finished}}
	play(t, s, func(t *testing.T, _ *http.Response, err error) {
		require.NoError(t, err)
		assert.Equal(t, "wait=30", s.sent[3].Header.Get("Prefer"))
	})
}

func TestAServerThatHangsIsAskedAgain(t *testing.T) {
	t.Run("before it answers", func(t *testing.T) {
		s := &script{replies: []reply{accepted, finished.after(time.Hour), finished}}
		play(t, s, func(t *testing.T, resp *http.Response, err error) {
			require.NoError(t, err)
			assert.Equal(t, "done", read(t, resp).body)
			assert.InDelta(t, time.Minute, s.pauses()[1], float64(time.Second))
		})
	})
	t.Run("and for ever, is given up", func(t *testing.T) {
		s := &script{replies: []reply{accepted, finished.after(time.Hour)}}
		play(t, s, func(t *testing.T, _ *http.Response, err error) {
			var failed *client.JobError
			require.ErrorAs(t, err, &failed)
			assert.True(t, failed.Timeout())
			assert.ErrorContains(t, err, "the server does not answer")
		})
	})
}

func TestAnOutageIsBorneForFiveMinutes(t *testing.T) {
	broken := errors.New("connection refused")
	for name, test := range map[string]struct {
		answer reply
		says   string
	}{
		"no connection": {breaks(broken), "connection refused"},
		"503":           {says(503, `{"title":"Job store unavailable"}`, "Content-Type", "application/problem+json", "Retry-After", "5"), "(503 Service Unavailable): Job store unavailable"},
		"500":           {says(500, "<html>"), "failed for too long (500 Internal Server Error)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{replies: []reply{accepted, test.answer}}
			play(t, s, func(t *testing.T, _ *http.Response, err error) {
				var failed *client.JobError
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, "j1", failed.ID)
				assert.Equal(t, "http://api.test/jobs/j1", failed.URL)
				assert.ErrorContains(t, err, test.says)
				lasted := s.sent[len(s.sent)-1].at.Sub(s.sent[1].at)
				assert.Greater(t, lasted, 5*time.Minute)
				assert.Less(t, lasted, 5*time.Minute+20*time.Second)
				assert.Less(t, len(s.sent), 65, "it does not hammer")
			})
		})
	}
	unchanged := says(http.StatusNotModified, "", "Retry-After", "0")
	for name, test := range map[string]struct {
		good reply
		opts []client.Option
		last []reply
	}{
		"from the last poll that succeeded": {unfinished, nil, []reply{finished}},
		"from the last news": {unchanged, []client.Option{client.WithProgress(func(client.Status) {})}, []reply{
			says(200, document("completed", true, 2)), finished,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{replies: []reply{accepted}}
			for range 3 {
				for range 15 { // about three and a half minutes
					s.replies = append(s.replies, breaks(broken))
				}
				s.replies = append(s.replies, test.good)
			}
			s.replies = append(s.replies, test.last...)
			play(t, s, func(t *testing.T, resp *http.Response, err error) {
				require.NoError(t, err)
				assert.Equal(t, "done", read(t, resp).body)
			}, test.opts...)
		})
	}
	t.Run("unless the context ends before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{replies: []reply{accepted, breaks(broken)}}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			start := time.Now()
			_, err := client.New(client.WithBase(s)).RoundTrip(request(t, http.MethodPost, "http://api.test/", "").WithContext(ctx))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 20*time.Second, time.Since(start))
		})
	})
}
