package main

import (
	"crypto/tls"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRedisReadsASingleServer(t *testing.T) {
	for address, want := range map[string]redis.Options{
		"redis://":                           {Network: "tcp", Addr: "localhost:6379"},
		"redis://redis.local":                {Network: "tcp", Addr: "redis.local:6379"},
		"redis://[::1]:6380/3":               {Network: "tcp", Addr: "[::1]:6380", DB: 3},
		"redis://:secret@localhost:6379":     {Network: "tcp", Addr: "localhost:6379", Password: "secret"},
		"redis://jobs:a%2Fb%40c@localhost/1": {Network: "tcp", Addr: "localhost:6379", Username: "jobs", Password: "a/b@c", DB: 1},
		"redis://localhost?pool_size=7&db=2": {Network: "tcp", Addr: "localhost:6379", PoolSize: 7, DB: 2},
		"unix:///run/redis.sock?db=1":        {Network: "unix", Addr: "/run/redis.sock", DB: 1},
		"rediss://redis.local:6380":          {Network: "tcp", Addr: "redis.local:6380", TLSConfig: named("redis.local")},
		"rediss://redis.local:6380?db=4":     {Network: "tcp", Addr: "redis.local:6380", DB: 4, TLSConfig: named("redis.local")},
	} {
		t.Run(address, func(t *testing.T) {
			servers, err := parseRedis(address)
			require.NoError(t, err)
			want.ContextTimeoutEnabled = true
			assert.Equal(t, redisServers{single: &want}, servers)
			assert.Empty(t, servers.options())
			assert.IsType(t, &redis.Client{}, open(t, servers))
		})
	}
}

func named(server string) *tls.Config {
	return &tls.Config{ServerName: server, MinVersion: tls.VersionTLS12}
}

// open returns the client of servers and closes it when the test ends.
func open(t *testing.T, servers redisServers) redis.UniversalClient {
	t.Helper()
	client := servers.client()
	require.NotNil(t, client)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func TestParseRedisReadsACluster(t *testing.T) {
	servers, err := parseRedis("redis://jobs:secret@one:7001?addr=two:7002&addr=three:7003&max_redirects=5")
	require.NoError(t, err)
	require.NotNil(t, servers.cluster)
	assert.Equal(t, redisServers{cluster: &redis.ClusterOptions{
		Addrs: []string{"one:7001", "two:7002", "three:7003"}, Username: "jobs", Password: "secret",
		MaxRedirects: 5, ContextTimeoutEnabled: true,
	}}, servers)
	assert.Len(t, servers.options(), 1, "the number of partitions")
	assert.IsType(t, &redis.ClusterClient{}, open(t, servers))

	encrypted, err := parseRedis("rediss://one:7001/?addr=two:7002")
	require.NoError(t, err)
	require.NotNil(t, encrypted.cluster)
	assert.Equal(t, "one", encrypted.cluster.TLSConfig.ServerName)
}

func TestParseRedisReadsSentinels(t *testing.T) {
	servers, err := parseRedis("redis://watch:word@one:26379/2?addr=two:26379&master_name=mymaster&username=jobs&password=secret")
	require.NoError(t, err)
	assert.Equal(t, redisServers{sentinel: &redis.FailoverOptions{
		SentinelAddrs: []string{"one:26379", "two:26379"}, SentinelUsername: "watch", SentinelPassword: "word",
		MasterName: "mymaster", Username: "jobs", Password: "secret", DB: 2, ContextTimeoutEnabled: true,
	}}, servers)
	assert.Empty(t, servers.options())
	assert.IsType(t, &redis.Client{}, open(t, servers))

	encrypted, err := parseRedis("rediss://one:26379?master_name=mymaster&context_timeout_enabled=false")
	require.NoError(t, err)
	assert.Equal(t, "one", encrypted.sentinel.TLSConfig.ServerName)
	assert.True(t, encrypted.sentinel.ContextTimeoutEnabled, "the store relies on deadlines")
}

func TestParseRedisRefuses(t *testing.T) {
	const beginning, code = "must begin with redis://", "as % and the code"
	for address, says := range map[string]string{
		"localhost:6379":                 beginning,
		"localhost":                      beginning,
		"http://localhost:6379":          beginning,
		"redis:localhost":                beginning,
		"redis+cluster://localhost:6379": beginning,
		"REDIS://localhost":              beginning,

		"redis://host:port":                   code,
		"redis://:sec/ret@localhost:6379":     code,
		"redis://:1/sec#ret@localhost:6379":   code,
		"redis://:sec#ret@localhost:6379":     code,
		"redis://:100%secret@localhost:6379":  code,
		"redis://:12/secret@localhost:6379/0": code,

		"redis://localhost/jobs":               `invalid database number: "jobs"`,
		"redis://localhost/0/1":                "invalid URL path",
		"redis://localhost?colour=red":         "unexpected option: colour",
		"redis://localhost?pool_size=many":     "invalid pool_size number",
		"unix://":                              "empty unix socket path",
		"unix:///run/redis.sock?addr=two:7002": "invalid URL scheme: unix",

		"redis://one:7001?addr=two":               "unable to parse addr param: two",
		"redis://one:7001?addr=":                  "unable to parse addr param",
		"redis://one:7001/3?addr=two:7002":        "leave out the path",
		"redis://one:7001?addr=two:7002&db=3":     "unexpected option: db",
		"redis://one:7001?addr=two:7002&colour=r": "unexpected option: colour",

		"redis://one:26379?master_name=":                "master_name is empty",
		"redis://one:26379?master_name=m&addr=two":      "unable to parse addr param: two",
		"redis://one:26379/jobs?master_name=m":          `invalid database number: "jobs"`,
		"redis://one:26379?master_name=m&sentinels=two": "unexpected option: sentinels",

		"redis://one:7001?addr=two:7002&read_only=true":         "leave out read_only",
		"redis://one:7001?addr=two:7002&route_randomly=true":    "leave out route_randomly",
		"redis://one:26379?master_name=m&route_by_latency=true": "leave out route_by_latency",
		"redis://one:26379?master_name=m&replica_only=true":     "leave out replica_only",
	} {
		t.Run(address, func(t *testing.T) {
			servers, err := parseRedis(address)
			require.ErrorContains(t, err, says)
			assert.Equal(t, redisServers{}, servers)
			assert.NotContains(t, err.Error(), "secret", "it keeps the password for itself")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestNoRedisMeansNoClient(t *testing.T) {
	cfg, err := parse(nil)
	require.NoError(t, err)
	assert.Nil(t, cfg.redis.client())
}
