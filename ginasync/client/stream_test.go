package client_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheBodyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		streamed := finished
		streamed.stream = from
		s := &script{replies: []reply{accepted, streamed}}
		resp, err := client.New(client.WithBase(s)).RoundTrip(request(t, http.MethodPost, "http://api.test/", ""))
		require.NoError(t, err)
		part := make([]byte, 4)
		for _, text := range []string{"one ", "two "} {
			go func() { _, _ = io.WriteString(to, text) }()
			_, err = io.ReadFull(resp.Body, part)
			require.NoError(t, err)
			assert.Equal(t, text, string(part))
			time.Sleep(time.Hour) // however long a poll may take
		}
		require.NoError(t, s.sent[1].Context().Err())
		require.NoError(t, resp.Body.Close())
		require.Error(t, s.sent[1].Context().Err(), "what the request holds is freed")
	})
}

func TestAResponseIsTheCallersUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{replies: []reply{accepted, finished}}
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := client.New(client.WithBase(s), client.WithCancel()).RoundTrip(request(t, http.MethodPost, "http://api.test/", "").WithContext(ctx))
		require.NoError(t, err)
		cancel()
		require.Error(t, s.sent[1].Context().Err(), "as it would of a request to a synchronous route")
		require.NoError(t, resp.Body.Close())
		assert.Len(t, s.sent, 2, "a job that is over is not canceled")
	})
}
