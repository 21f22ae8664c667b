package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/redis/go-redis/v9"
)

// redisServers says which Redis keeps the jobs: one of the three, or none. Then the
// jobs are in memory.
type redisServers struct {
	single   *redis.Options
	sentinel *redis.FailoverOptions
	cluster  *redis.ClusterOptions
}

// clusterPartitions are two for each master of a Cluster of three: each partition is
// in one slot, so with a single one all masters but one would idle. Two each leave
// something to share with a fourth.
const clusterPartitions = 6

// parseRedis reads the URL of a single server, of a Cluster (it has addr=host:port in
// its query) or of Sentinels (it has master_name=…). Its errors do not repeat the URL,
// which may have a password.
func parseRedis(address string) (redisServers, error) {
	u, err := checkRedisURL(address)
	if err != nil {
		return redisServers{}, err
	}
	var servers redisServers
	switch query := u.Query(); {
	case query.Has("master_name"):
		servers.sentinel, err = parseSentinels(address)
	case query.Has("addr"):
		servers.cluster, err = parseCluster(address)
	default:
		servers.single, err = parseServer(address)
	}
	if err != nil {
		return redisServers{}, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "redis: "))
	}
	return servers, nil
}

// checkRedisURL refuses what go-redis would read as another URL than was meant.
func checkRedisURL(address string) (*url.URL, error) {
	scheme, _, found := strings.Cut(address, "://")
	if !found || scheme != "redis" && scheme != "rediss" && scheme != "unix" {
		return nil, errors.New("the URL must begin with redis://, or rediss:// for TLS, as in redis://localhost:6379")
	}
	u, err := url.Parse(address)
	server, _, _ := strings.Cut(address, "?")
	if err != nil || u.Fragment != "" || u.User == nil && strings.Contains(server, "@") {
		return nil, errors.New("not a URL like redis://user:password@host:6379/0; " +
			"in a password write all but letters and digits as % and the code, / as %2F")
	}
	for _, name := range []string{"read_only", "replica_only", "route_by_latency", "route_randomly"} {
		if u.Query().Has(name) {
			return nil, fmt.Errorf("leave out %s: a replica may not know yet what became of a job", name)
		}
	}
	return u, nil
}

func parseServer(address string) (*redis.Options, error) {
	options, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	return options, nil
}

func parseCluster(address string) (*redis.ClusterOptions, error) {
	options, err := redis.ParseClusterURL(address)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(address); err != nil || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("leave out the path: a Cluster has no databases to choose from")
	}
	options.ContextTimeoutEnabled = true
	return options, nil
}

func parseSentinels(address string) (*redis.FailoverOptions, error) {
	options, err := redis.ParseFailoverURL(address)
	if err != nil {
		return nil, err
	}
	if options.MasterName == "" {
		return nil, errors.New("master_name is empty: give the name by which the Sentinels know the master")
	}
	options.ContextTimeoutEnabled = true
	return options, nil
}

// client returns a client, or nil if the jobs are in memory. It does not connect yet.
// The caller closes it.
func (s redisServers) client() redis.UniversalClient {
	switch {
	case s.single != nil:
		return redis.NewClient(s.single)
	case s.sentinel != nil:
		return redis.NewFailoverClient(s.sentinel)
	case s.cluster != nil:
		return redis.NewClusterClient(s.cluster)
	}
	return nil
}

// options are those of the store.
func (s redisServers) options() []redisstore.Option {
	if s.cluster != nil {
		return []redisstore.Option{redisstore.WithPartitions(clusterPartitions)}
	}
	return nil
}
