package redisstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Advice implements store.Advisor. It warns of servers that may drop jobs when their
// memory is full, and of servers that forget all jobs when they restart. It says
// nothing where CONFIG is not allowed.
func (s *Store) Advice(ctx context.Context) []string {
	if s.err != nil {
		return nil
	}
	advice, err := await(ctx, s, func(ctx context.Context) ([]string, error) {
		cluster, ok := s.client.(*redis.ClusterClient)
		if !ok {
			return adviceOn(ctx, s.client), nil
		}
		var mu sync.Mutex
		var all []string
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
			found := adviceOn(ctx, master)
			mu.Lock()
			defer mu.Unlock()
			for _, sentence := range found {
				all = append(all, master.Options().Addr+": "+sentence)
			}
			return nil
		})
		return all, err
	})
	if err != nil {
		return nil
	}
	return advice
}

// adviceOn asks one server for its settings.
func adviceOn(ctx context.Context, server redis.UniversalClient) []string {
	var advice []string
	policy, err := server.ConfigGet(ctx, "maxmemory-policy").Result()
	if p, known := policy["maxmemory-policy"]; err == nil && known && p != "noeviction" {
		advice = append(advice, fmt.Sprintf("Redis may drop jobs when its memory is full: "+
			"maxmemory-policy is %s, set it to noeviction", p))
	}
	appends, err := server.ConfigGet(ctx, "appendonly").Result()
	if err != nil || appends["appendonly"] != "no" {
		return advice
	}
	saves, err := server.ConfigGet(ctx, "save").Result()
	if save, known := saves["save"]; err == nil && known && save == "" {
		advice = append(advice, "Redis forgets all jobs when it restarts: persistence is off, set appendonly to yes")
	}
	return advice
}
