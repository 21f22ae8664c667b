package webhook_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func secret(t testing.TB, text string) webhook.Secret {
	t.Helper()
	s, err := webhook.ParseSecret(text)
	require.NoError(t, err)
	return s
}

// The example of Standard Webhooks, which its libraries are tested with.
const (
	officialSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	officialID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	officialTime      = 1614265330
	officialBody      = `{"test": 2432232314}`
	officialSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	otherSecret       = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

func officialHeader() http.Header {
	h := http.Header{}
	h.Set("webhook-id", officialID)
	h.Set("webhook-timestamp", fmt.Sprint(officialTime))
	h.Set("webhook-signature", officialSignature)
	return h
}

// at runs a test that many seconds after the official example was sent.
func at(t *testing.T, seconds int64, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(officialTime+seconds, 0)))
		test(t)
	})
}

func TestOfficialVector(t *testing.T) {
	t.Run("is what we sign", func(t *testing.T) {
		h := http.Header{}
		webhook.Sign(h, officialID, time.Unix(officialTime, 0), []byte(officialBody), secret(t, officialSecret))
		assert.Equal(t, officialHeader(), h)
		assert.Equal(t, officialID, webhook.ID(h))
	})

	t.Run("verifies, with the prefix and without", func(t *testing.T) {
		at(t, 0, func(t *testing.T) {
			for _, text := range []string{officialSecret, strings.TrimPrefix(officialSecret, "whsec_")} {
				assert.NoError(t, webhook.Verify(officialHeader(), []byte(officialBody), secret(t, text)))
			}
		})
	})
}

func TestVerify(t *testing.T) {
	t.Run("takes five minutes, either way", func(t *testing.T) {
		for seconds, want := range map[int64]error{
			300: nil, 301: webhook.ErrTime, -300: nil, -301: webhook.ErrTime,
		} {
			at(t, seconds, func(t *testing.T) {
				assert.ErrorIs(t, webhook.Verify(officialHeader(), []byte(officialBody), secret(t, officialSecret)), want, "%d s", seconds)
			})
		}
	})

	t.Run("takes one right signature among others, and one right secret", func(t *testing.T) {
		at(t, 0, func(t *testing.T) {
			h := officialHeader()
			h.Set("webhook-signature", "v1a,AAAA v1,AAAA v1,? nonsense "+officialSignature+" v2,x")
			require.NoError(t, webhook.Verify(h, []byte(officialBody), secret(t, otherSecret), secret(t, officialSecret)))
		})
	})

	t.Run("refuses what was changed", func(t *testing.T) {
		at(t, 0, func(t *testing.T) {
			right := secret(t, officialSecret)
			change := func(name, value string) http.Header {
				h := officialHeader()
				h.Set(name, value)
				return h
			}
			body := []byte(officialBody)
			require.ErrorIs(t, webhook.Verify(officialHeader(), []byte(`{"test":2432232314}`), right), webhook.ErrSignature, "JSON written again")
			require.ErrorIs(t, webhook.Verify(change("webhook-id", "msg_other"), body, right), webhook.ErrSignature)
			require.ErrorIs(t, webhook.Verify(change("webhook-timestamp", fmt.Sprint(officialTime+1)), body, right), webhook.ErrSignature)
			require.ErrorIs(t, webhook.Verify(change("webhook-signature", strings.Replace(officialSignature, "v1,", "v1a,", 1)), body, right), webhook.ErrSignature)
			require.ErrorIs(t, webhook.Verify(officialHeader(), body, secret(t, otherSecret)), webhook.ErrSignature)
			require.ErrorIs(t, webhook.Verify(officialHeader(), body), webhook.ErrSignature, "no secret at all")
			require.ErrorIs(t, webhook.Verify(officialHeader(), body, webhook.Secret{}), webhook.ErrSignature, "the zero value is no secret")
		})
	})

	t.Run("refuses what lacks a header", func(t *testing.T) {
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			h := officialHeader()
			h.Del(name)
			assert.ErrorIs(t, webhook.Verify(h, []byte(officialBody), secret(t, officialSecret)), webhook.ErrHeaders, name)
		}
	})
}

func TestRotation(t *testing.T) {
	h := http.Header{}
	old, fresh := secret(t, officialSecret), secret(t, otherSecret)
	webhook.Sign(h, "msg_1", time.Now(), []byte("body"), fresh, old)
	assert.Len(t, strings.Fields(h.Get("Webhook-Signature")), 2)
	require.NoError(t, webhook.Verify(h, []byte("body"), old))
	require.NoError(t, webhook.Verify(h, []byte("body"), fresh))
}

func TestParseSecret(t *testing.T) {
	of := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }
	for _, fine := range []string{of(24), of(64)} {
		_, err := webhook.ParseSecret(fine)
		require.NoError(t, err)
	}
	for text, want := range map[string]string{
		"": "has 0 bytes", of(23): "has 23 bytes", of(65): "has 65 bytes", "whsec_not base64": "base64",
	} {
		_, err := webhook.ParseSecret(text)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "openssl rand", "it says how to make one")
		if text != "" {
			assert.NotContains(t, err.Error(), text)
		}
	}
}

func TestSecretHidesItself(t *testing.T) {
	var log bytes.Buffer
	s := secret(t, officialSecret)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s)
	shown := fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s, []webhook.Secret{s}) + log.String()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(officialSecret, "whsec_"))
	require.NoError(t, err)
	assert.NotContains(t, shown, string(key))
	assert.NotContains(t, shown, "MfKQ9r8G")
}

// FuzzVerify: whatever the headers say, only what was signed with the secret passes.
func FuzzVerify(f *testing.F) {
	f.Add(officialID, fmt.Sprint(officialTime), officialSignature, []byte(officialBody))
	f.Add("a.b", "-1", "v1, v1,,", []byte(nil))
	f.Add("", "9223372036854775807", "v1,"+strings.Repeat("A", 44), []byte("{}"))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		if webhook.Verify(h, body, secret(t, otherSecret)) == nil {
			t.Fatalf("%v passes for %q", h, body)
		}
		h = http.Header{}
		webhook.Sign(h, id, time.Now(), body, secret(t, otherSecret))
		if err := webhook.Verify(h, body, secret(t, otherSecret)); (err == nil) != (id != "") {
			t.Fatalf("what was signed gives %v", err)
		}
	})
}
