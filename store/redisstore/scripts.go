package redisstore

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// scripts are the atomic steps, each named like its file.
type scripts struct {
	create, withdraw               *redis.Script
	result, list, stats            *redis.Script
	cancel, retry, remove          *redis.Script
	join, renew, leave             *redis.Script
	claim, settle, report, release *redis.Script
	overdue, reclaim, expire       *redis.Script
}

// loadScripts puts the parts of each step together. An error means that a file of
// this package is missing.
func loadScripts() (scripts, error) {
	var failed error
	step := func(files ...string) *redis.Script {
		var text []byte
		for _, name := range append([]string{"base"}, files...) {
			part, err := sources.ReadFile("scripts/" + name + ".lua")
			if err != nil {
				failed = err
			}
			text = append(text, part...)
		}
		return redis.NewScript(string(text))
	}
	all := scripts{
		create: step("create"), withdraw: step("withdraw"),
		result: step("result"), list: step("list"), stats: step("stats"),
		cancel: step("cancel"), retry: step("retry"), remove: step("delete"),
		join: step("join"), renew: step("renew"), leave: step("held", "leave"),
		claim: step("claim"), settle: step("settle"), report: step("report"), release: step("held", "release"),
		overdue: step("overdue"), reclaim: step("held", "reclaim"), expire: step("expire"),
	}
	return all, failed
}
