package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lost is a connection that broke.
var lost = breaks(errors.New("connection reset"))

func TestALostAcceptanceIsRepeatedUnderItsKey(t *testing.T) {
	s := &script{replies: []reply{lost, lost, lost, accepted, finished}}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		req := request(t, http.MethodPost, "http://api.test/", "a body")
		resp, err := client.New(client.WithBase(s), client.WithIdempotencyKeys()).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
		assert.Same(t, req, resp.Request)
		assert.Empty(t, req.Header, "the request is the caller's")
		for _, each := range s.sent[:4] {
			assert.Equal(t, "a body", each.body)
		}
		key := s.sent[0].Header.Get("Idempotency-Key")
		assert.Regexp(t, `^"[A-Z2-7]{26}"$`, key)
		for _, again := range s.sent[1:4] {
			assert.Equal(t, key, again.Header.Get("Idempotency-Key"))
		}
		assert.Empty(t, s.sent[4].Header.Get("Idempotency-Key"), "a poll has none")
		assert.Less(t, time.Since(start), 4*time.Second)
	})
}

func TestEachRequestHasAKeyOfItsOwn(t *testing.T) {
	s := &script{replies: []reply{says(200, "")}}
	c := client.New(client.WithBase(s), client.WithIdempotencyKeys())
	send := func(method, key string) {
		req := request(t, method, "http://api.test/", "")
		req.Header = nil
		if key != "" {
			req.Header = http.Header{"Idempotency-Key": {key}}
		}
		resp, err := c.RoundTrip(req)
		require.NoError(t, err)
		assert.Same(t, req, resp.Request)
		require.NoError(t, resp.Body.Close())
	}
	send(http.MethodPost, "")
	send(http.MethodPost, "")
	send(http.MethodDelete, "mine")
	send(http.MethodGet, "")
	send("", "")
	assert.NotEqual(t, s.sent[0].Header, s.sent[1].Header)
	assert.Equal(t, "mine", s.sent[2].Header.Get("Idempotency-Key"))
	assert.Empty(t, s.sent[3].Header)
	assert.Empty(t, s.sent[4].Header)
}

func TestARequestIsSentOnce(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		method string
		opts   []client.Option
		body   func(*http.Request)
	}{
		"without keys":                {http.MethodPost, nil, nil},
		"when it is a GET":            {http.MethodGet, []client.Option{client.WithIdempotencyKeys()}, nil},
		"when its body is gone":       {http.MethodPost, []client.Option{client.WithIdempotencyKeys()}, func(r *http.Request) { r.GetBody = nil }},
		"when its body cannot be had": {http.MethodPost, []client.Option{client.WithIdempotencyKeys()}, func(r *http.Request) { r.GetBody = func() (io.ReadCloser, error) { return nil, broken } }},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{replies: []reply{breaks(broken)}}
			req, err := http.NewRequestWithContext(t.Context(), test.method, "http://api.test/", strings.NewReader("a body"))
			require.NoError(t, err)
			if test.body != nil {
				test.body(req)
			}
			_, err = client.New(append(test.opts, client.WithBase(s))...).RoundTrip(req)
			require.ErrorIs(t, err, broken)
			assert.Len(t, s.sent, 1)
		})
	}
}

func TestAnAnswerEndsTheRepetition(t *testing.T) {
	s := &script{replies: []reply{lost, says(503, "away")}}
	play(t, s, func(t *testing.T, resp *http.Response, err error) {
		require.NoError(t, err)
		assert.Equal(t, "away", read(t, resp).body)
		assert.Len(t, s.sent, 2)
	}, client.WithIdempotencyKeys())
}

func TestRepetitionEnds(t *testing.T) {
	t.Run("after four times", func(t *testing.T) {
		s := &script{replies: []reply{lost}}
		play(t, s, func(t *testing.T, _ *http.Response, err error) {
			require.ErrorContains(t, err, "connection reset")
			assert.Len(t, s.sent, 4)
		}, client.WithIdempotencyKeys())
	})
	t.Run("with the context", func(t *testing.T) {
		s := &script{replies: []reply{lost}}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := contextFor(t, 100*time.Millisecond)
			defer cancel()
			req := request(t, http.MethodPost, "http://api.test/", "").WithContext(ctx)
			_, err := client.New(client.WithBase(s), client.WithIdempotencyKeys()).RoundTrip(req)
			require.ErrorContains(t, err, "connection reset")
			assert.Len(t, s.sent, 1)
		})
	})
}

// lossy loses the first answers.
type lossy struct {
	http.RoundTripper
	left atomic.Int32
}

func (l *lossy) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	if err == nil && l.left.Add(-1) >= 0 {
		_ = resp.Body.Close()
		return nil, errors.New("the connection is lost")
	}
	return resp, err
}

func TestALostAcceptanceIsOneJob(t *testing.T) {
	var runs atomic.Int32
	s := newService(t, func(r *gin.Engine) {
		r.POST("/async", ginasync.Async(func(c *gin.Context) {
			runs.Add(1)
			echo(c)
		}))
	})
	base := &lossy{RoundTripper: &http.Transport{}}
	base.left.Store(2)
	c := newClient(t, client.WithBase(base), client.WithIdempotencyKeys())
	defer base.RoundTripper.(*http.Transport).CloseIdleConnections()
	assert.Equal(t, "POST  hello", s.post(c, "/async", "hello").body)
	assert.Equal(t, "POST  hello", s.post(c, "/async", "hello").body, "another request is another job")
	assert.Equal(t, int32(2), runs.Load())
}
