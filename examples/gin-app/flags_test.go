package main

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// environment stands for os.LookupEnv.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func parse(env environment, args ...string) (config, error) {
	return parseConfig(args, env.lookup, &bytes.Buffer{})
}

func TestParseConfig(t *testing.T) {
	defaults := config{
		addr: "127.0.0.1:8080", concurrency: 16, workers: true,
		lease: 10 * time.Second, grace: 30 * time.Second,
	}
	t.Run("has a default for everything", func(t *testing.T) {
		cfg, err := parse(nil)
		require.NoError(t, err)
		assert.Equal(t, defaults, cfg)
	})
	t.Run("reads every flag", func(t *testing.T) {
		cfg, err := parse(nil, "-addr", ":1", "-concurrency", "2", "-lease", "3s", "-grace", "4s", "-workers=false", "-owner-header", "X-User")
		require.NoError(t, err)
		assert.Equal(t, config{addr: ":1", concurrency: 2, lease: 3 * time.Second, grace: 4 * time.Second, ownerHeader: "X-User"}, cfg)
	})
	t.Run("reads every variable", func(t *testing.T) {
		cfg, err := parse(environment{
			"GINAPP_ADDR": ":1", "GINAPP_CONCURRENCY": "2", "GINAPP_LEASE": "3s", "GINAPP_GRACE": "4s", "GINAPP_WORKERS": "false", "GINAPP_OWNER_HEADER": "X-User",
		})
		require.NoError(t, err)
		assert.Equal(t, config{addr: ":1", concurrency: 2, lease: 3 * time.Second, grace: 4 * time.Second, ownerHeader: "X-User"}, cfg)
	})
	t.Run("reads the URL of Redis and the keys, from flags and variables", func(t *testing.T) {
		first, second := testKey(1), testKey(2)
		for name, read := range map[string]func() (config, error){
			"flags": func() (config, error) {
				return parse(nil, "-redis", "redis://redis:6380/2", "-encrypt-key", inBase64(first)+","+inBase64(second))
			},
			"variables": func() (config, error) {
				return parse(environment{
					"GINAPP_REDIS": "redis://redis:6380/2", "GINAPP_ENCRYPT_KEY": inBase64(first) + "," + inBase64(second),
				})
			},
		} {
			cfg, err := read()
			require.NoError(t, err, name)
			require.NotNil(t, cfg.redis.single, name)
			assert.Equal(t, "redis:6380", cfg.redis.single.Addr, name)
			assert.Equal(t, 2, cfg.redis.single.DB, name)
			assert.Equal(t, [][]byte{first, second}, cfg.keys, name)
		}
	})
	t.Run("prefers a flag to its variable, though it says the default", func(t *testing.T) {
		cfg, err := parse(environment{"GINAPP_CONCURRENCY": "2"}, "-concurrency", "16")
		require.NoError(t, err)
		assert.Equal(t, 16, cfg.concurrency)
	})
	t.Run("takes an empty variable for none", func(t *testing.T) {
		cfg, err := parse(environment{"GINAPP_LEASE": ""})
		require.NoError(t, err)
		assert.Equal(t, defaults, cfg)
	})
}

func TestParseConfigRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		env  environment
		args []string
		says string
	}{
		"an unknown flag":             {args: []string{"-colour"}, says: "-colour"},
		"a duration without a unit":   {args: []string{"-lease", "10"}, says: "-lease"},
		"an argument":                 {args: []string{"serve"}, says: `"serve"`},
		"a bad variable":              {env: environment{"GINAPP_GRACE": "soon"}, says: "GINAPP_GRACE"},
		"an address without a port":   {args: []string{"-addr", "localhost"}, says: "-addr"},
		"no concurrency":              {args: []string{"-concurrency", "0"}, says: "-concurrency"},
		"a lease that is too short":   {args: []string{"-lease", "1ms"}, says: "-lease"},
		"a negative grace":            {args: []string{"-grace", "-1s"}, says: "-grace"},
		"an address of no Redis":      {args: []string{"-redis", "localhost:6379"}, says: "-redis: the URL must begin with redis://"},
		"the same in the environment": {env: environment{"GINAPP_REDIS": "localhost:6379"}, says: "-redis: the URL must begin"},
		"a key that is none":          {args: []string{"-encrypt-key", "secret"}, says: "-encrypt-key: key 1 of 1"},
		"the same as a variable":      {env: environment{"GINAPP_ENCRYPT_KEY": "secret"}, says: "-encrypt-key: key 1 of 1"},
		"no name of a header":         {args: []string{"-owner-header", "X User"}, says: `-owner-header: "X User"`},
		"several mistakes, all named": {args: []string{"-redis", "x", "-encrypt-key", "x", "-concurrency", "0", "-grace", "0"}, says: "-grace"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := parse(test.env, test.args...)
			require.Error(t, err)
			assert.Equal(t, config{}, cfg)
			assert.NotErrorIs(t, err, flag.ErrHelp)
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestRun(t *testing.T) {
	t.Run("prints the usage and returns 0 when asked for help", func(t *testing.T) {
		var stderr bytes.Buffer
		assert.Equal(t, 0, run([]string{"-help"}, environment{}.lookup, &stderr))
		assert.Contains(t, stderr.String(), "GINAPP_ADDR")
		assert.Contains(t, stderr.String(), "-concurrency")
	})
	t.Run("says a usage error in one line and returns 2", func(t *testing.T) {
		var stderr bytes.Buffer
		assert.Equal(t, exitUsage, run([]string{"-redis", "http://localhost"}, environment{}.lookup, &stderr))
		assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		assert.Contains(t, stderr.String(), "redis://")
	})
	t.Run("returns 1 when it cannot listen", func(t *testing.T) {
		var stderr bytes.Buffer
		assert.Equal(t, exitFailure, run([]string{"-addr", "127.0.0.1:99999"}, environment{}.lookup, &stderr))
		assert.Contains(t, stderr.String(), "99999")
	})
}
