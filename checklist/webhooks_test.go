package checklist_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func refusesInnerAddresses(t *testing.T, s *site) {
	here, there := s.clients(t)
	for _, target := range []string{
		"http://hooks.test/", "https://127.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data",
		"https://2130706433/", "https://0x7f.1/", "https://localhost/", "https://elsewhere.test/", "https://a:b@hooks.test/",
	} {
		here.post("/any", callbackHeader, target).isProblem(t, http.StatusUnprocessableEntity, "callback-rejected")
	}
	assert.Empty(t, there.list(), "nothing was stored")
	// Its name is allowed, and its address is looked at when the message is sent.
	there.await(here.submit("/any", callbackHeader, "https://"+s.inner.addr+"/"))
	finds(t, "the delivery is refused", func() bool {
		return strings.Contains(s.accepts.log()+s.shows.log(), "is not public")
	})
	assert.Zero(t, s.inner.visits())
}

func isSignedAfresh(t *testing.T, s *site) {
	here, there := s.clients(t)
	messages := s.hook.await(t, s.slow.repeat, 2)
	for _, m := range messages {
		assert.WithinDuration(t, m.came, m.signedAt(t), 2*time.Second, "signed when it was sent")
		mac := hmac.New(sha256.New, hookKey(t))
		mac.Write([]byte(m.header.Get("Webhook-Id") + "." + m.header.Get("Webhook-Timestamp") + "." + m.body))
		assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), m.header.Get("Webhook-Signature"))
		assert.Equal(t, "application/json", m.header.Get("Content-Type"))
		assert.Equal(t, "job.completed", m.event.Type)
	}
	first, second := messages[0], messages[1]
	assert.Equal(t, first.header.Get("Webhook-Id"), second.header.Get("Webhook-Id"))
	assert.Equal(t, first.body, second.body)
	assert.GreaterOrEqual(t, second.signedAt(t).Sub(first.signedAt(t)), 5*time.Second)
	for _, c := range []caller{here.as(s.slow.owner), there.as(s.slow.owner)} {
		assert.Equal(t, c.get("/jobs/"+s.slow.repeat).status(t).Version, second.status.Version)
	}
}

func hookKey(t *testing.T) []byte {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	require.NoError(t, err)
	return key
}

func (m message) signedAt(t *testing.T) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(m.header.Get("Webhook-Timestamp"), 10, 64)
	require.NoError(t, err)
	return time.Unix(seconds, 0)
}
