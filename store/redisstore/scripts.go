package redisstore

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"errors"
	"sync"
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
	create, withdraw         *step
	get, result, list, stats *step
	watch                    *step
	cancel, retry, remove    *step
	join, renew, leave       *step
	claim, complete, settle  *step
	report, release          *step
	overdue, reclaim, expire *step
}

// steps are the scripts, which are the same for all stores: they are put together once.
var steps = sync.OnceValues(loadScripts)

// loadScripts reads the steps. An error means that a file of this package is missing or
// says what the loader does not understand.
func loadScripts() (scripts, error) {
	var errs []error
	load := func(name string) *step {
		text, err := assemble(name)
		errs = append(errs, err)
		return newStep(text)
	}
	all := scripts{
		create: load("create"), withdraw: load("withdraw"),
		get: load("get"), result: load("result"), list: load("list"), stats: load("stats"), watch: load("watch"),
		cancel: load("cancel"), retry: load("retry"), remove: load("delete"),
		join: load("join"), renew: load("renew"), leave: load("leave"),
		claim: load("claim"), complete: load("complete"), settle: load("settle"),
		report: load("report"), release: load("release"),
		overdue: load("overdue"), reclaim: load("reclaim"), expire: load("expire"),
	}
	return all, errors.Join(errs...)
}
