// Package redisstore is the store for many processes: it keeps jobs in Redis.
//
// Any process with the same routes accepts, runs, shows and cancels any job, and
// any of them may die. It works with a single server, Sentinel and Cluster. The scripts
// need Redis 6.2; the tests run on 7.0.
//
// # Steps
//
// Each change of a job is one Lua script, in the folder scripts: it checks that the
// caller may, then writes, in one atomic step by the clock of Redis. go-redis repeats a
// command whose reply was lost, so each script may run twice, and the second run
// answers as the first did: a repeated create finds the job, a repeated claim gets the
// same jobs, a repeated settle finds what it did.
//
// # Sessions
//
// A worker process holds one lock per partition, made with redislock: its session.
// The lock's value is the token that fences: each script that writes for a session
// first compares it. Refreshing the lock keeps all jobs of the process. When it
// runs out, Reclaim takes all of them; until then the session can take the lock
// back, with the same token.
//
// # Keys
//
// A partition has these keys, each beginning with "prefix:{tag}"; tags.go has the tags:
//
//	(nothing)      hash    order of the latest job; how many are queued, scheduled;
//	                       latest call of recovery
//	:job:ID        string  the record of the job, see below
//	:outcome:ID    string  what an attempt that failed left: progress, problem, response
//	:running       hash    of each job that is in progress the session that holds it, and
//	                       what a claim changes of the record, which stays as it was
//	:line:QUEUE    list    ids of the queued jobs, the next one first; a large one with the
//	                       size of its record
//	:due:QUEUE     zset    likewise the scheduled jobs, by time in microseconds
//	:owner:OWNER   zset    ids of the owner's jobs by order of creation
//	:waiting       hash    for each owner with a bound on waiting jobs how many of those
//	                       created under it wait
//	:key:DIGEST    string  id of the job that holds an idempotency key
//	:expiry        zset    ids and owners of the jobs that are over by the time they expire
//	:sessions      zset    sessions by the time their lease ends; 0: taken by recovery
//	:session:S     hash    name of the worker, when it joined; how many jobs it claimed,
//	                       number and first claim of the latest call; latest release
//	:lock:S        string  redislock's lock
//	:held:S        set     ids of the jobs the session holds
//	:stop:S        set     those of them that were asked to stop
//	:watched       zset    ids of the jobs that somebody watches, by when that has to be
//	                       said again
//	:deleted:ID    string  latest call that deleted a job, for a minute
//	:retried:ID    string  latest call that queued a failed job again, for a minute
//	:released:ID   string  latest call that released a job, for a minute
//	:recovery      string  redislock's lock of the process that recovers jobs
//
// A record is one string: a head of 81 bytes with the state, the numbers and the times;
// queue, owner, route, and the digest of an idempotency key with the fingerprint; and
// behind them the request and the envelope until nobody needs them any more, then the
// outcome. The head is at the beginning of scripts/layout.lua and of record.go. A claim of
// many jobs is so a few commands, however many there are, and the end of a job one that
// puts the result where the request was.
//
// Jobs that are over expire by themselves, with their results. The indexes are
// trimmed by Reclaim, which every process that runs workers calls once a second.
//
// # What the server has to allow
//
// The user needs all keys and all channels that begin with the prefix, and EVAL, EVALSHA,
// SCRIPT LOAD, SUBSCRIBE, PUBLISH and the commands of the scripts. Without the channels
// everything works, but slower: see Hints. With WithReplicas it needs WAIT. Without CONFIG
// there is no Advice.
//
// Slots of a Cluster must not be moved while processes use the store: a script does not
// name the keys of all jobs beforehand, so it would take those that have not arrived yet
// for removed.
//
// # Hints
//
// They are messages on the channels :arrived, :watch:ID and :stop:S of a partition. Those
// about a job are sent while it is in :watched only.
// Messages only hint: they wake idle workers, running jobs that were asked to stop, and
// those who watch a job. One that is lost delays, and loses nothing: workers renew their
// leases and look for jobs in any case. After a reconnect everybody is woken.
package redisstore
