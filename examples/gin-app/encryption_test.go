package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What must not be readable. The report repeats its title, so that is in the result.
const (
	secretTitle  = "a-title-nobody-may-read"
	secretToken  = "a-token-nobody-may-read"
	secretCookie = "a-cookie-nobody-may-read"
)

// submitReport submits a request with secrets in its body and its headers.
func submitReport(t *testing.T, service *app) string {
	t.Helper()
	req := reportBody(t, service, fmt.Sprintf(`{"title":%q,"rows":[1,2,6]}`, secretTitle))
	req.Header.Set("Authorization", "Bearer "+secretToken)
	req.Header.Set("Cookie", "session="+secretCookie)
	return service.submit(t, req)
}

func isEncrypted(t *testing.T, binary string) {
	server := redistest.Start(t)
	oldKey, newKey := inBase64(testKey(1)), inBase64(testKey(2))
	accepting := onRedis(t, binary, server, "-workers=false", "-encrypt-key", oldKey)
	waiting := submitReport(t, accepting)
	assertSealed(t, server)

	rotated := onRedis(t, binary, server, "-encrypt-key", newKey+","+oldKey)
	rotated.await(t, waiting, patience, inState("completed"))
	assert.Contains(t, string(rotated.get(t, waiting+"/result").body), secretTitle)
	assertSealed(t, server)
	assert.Zero(t, rotated.terminate(t, patience))

	stranger := onRedis(t, binary, server, "-encrypt-key", newKey)
	failed := stranger.await(t, submitReport(t, accepting), patience, inState("failed"))
	assert.Equal(t, 1, failed.Attempt)
	assert.True(t, strings.HasSuffix(failed.Error.Type, "#request-sealed"), failed.Error.Type)
	assert.Contains(t, stranger.logged(), "stored request cannot be read")
	assertSealed(t, server)
}

func assertSealed(t *testing.T, server *redistest.Server) {
	t.Helper()
	kept := dump(t, server.Client(t))
	require.Contains(t, kept, ":job:", "the dump has the jobs")
	for _, secret := range []string{secretTitle, secretToken, secretCookie} {
		assert.NotContains(t, kept, secret)
	}
}

func keepsNoCredentials(t *testing.T, binary string) {
	server := redistest.Start(t)
	service := onRedis(t, binary, server, "-workers=false")
	submitReport(t, service)
	kept := dump(t, server.Client(t))
	assert.Contains(t, kept, secretTitle, "what is not encrypted can be found")
	assert.NotContains(t, kept, secretToken)
	assert.NotContains(t, kept, secretCookie)
	assert.Contains(t, service.logged(), "headers are not stored")
}

// dump returns all keys of a Redis with all that is in them.
func dump(t *testing.T, client *redis.Client) string {
	t.Helper()
	var all strings.Builder
	keys := client.Scan(t.Context(), 0, "*", 100).Iterator()
	for keys.Next(t.Context()) {
		fmt.Fprintf(&all, "%s %q\n", keys.Val(), valueOf(t, client, keys.Val()))
	}
	require.NoError(t, keys.Err())
	return all.String()
}

func valueOf(t *testing.T, client *redis.Client, key string) any {
	t.Helper()
	kind, err := client.Type(t.Context(), key).Result()
	require.NoError(t, err)
	read := map[string][]any{
		"string": {"GET", key},
		"hash":   {"HGETALL", key},
		"list":   {"LRANGE", key, 0, -1},
		"set":    {"SMEMBERS", key},
		"zset":   {"ZRANGE", key, 0, -1},
	}[kind]
	require.NotNil(t, read, "%s is a %s", key, kind)
	value, err := client.Do(t.Context(), read...).Result()
	require.NoError(t, err)
	return value
}
