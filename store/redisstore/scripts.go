package redisstore

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
)

//go:embed scripts/*.lua
var sources embed.FS

// step is one script, and the name that Redis gives to it: the SHA-1 of its text.
type step struct{ source, hash any } // strings, as go-redis takes them

func newStep(source string) *step {
	sum := sha1.Sum([]byte(source))
	return &step{source: source, hash: hex.EncodeToString(sum[:])}
}

// scripts are the atomic steps, each named like its file.
type scripts struct {
	create, withdraw               *step
	get, result, list, stats       *step
	watch                          *step
	cancel, retry, remove          *step
	join, renew, leave             *step
	claim, settle, report, release *step
	overdue, reclaim, expire       *step
}

// loadScripts puts the parts of each step together: only what it needs, for Redis goes
// through all of it each time. An error means that a file of this package is missing.
func loadScripts() (scripts, error) {
	var failed error
	load := func(files ...string) *step {
		var text []byte
		for _, name := range append([]string{"base"}, files...) {
			part, err := sources.ReadFile("scripts/" + name + ".lua")
			if err != nil {
				failed = err
			}
			text = append(text, part...)
		}
		return newStep(string(text))
	}
	all := scripts{
		create: load("record", "change", "line", "create"), withdraw: load("record", "change", "line", "withdraw"),
		get: load("record", "get"), result: load("record", "result"), list: load("record", "list"), stats: load("stats"),
		watch:  load("watch"),
		cancel: load("record", "change", "line", "finish", "cancel"), retry: load("record", "change", "line", "retry"),
		remove: load("record", "change", "delete"),
		join:   load("join"), renew: load("record", "renew"), leave: load("record", "change", "line", "finish", "holds", "held", "tidy", "leave"),
		claim: load("record", "change", "line", "holds", "claim"), settle: load("record", "change", "line", "finish", "settle"),
		report: load("record", "change", "report"), release: load("record", "change", "line", "finish", "holds", "held", "release"),
		overdue: load("overdue"), reclaim: load("record", "change", "line", "finish", "holds", "held", "reclaim"),
		expire: load("record", "change", "tidy", "expire"),
	}
	return all, failed
}
