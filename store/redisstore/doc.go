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
//	(nothing)      hash    order of the latest job; how many are queued, scheduled,
//	                       in_progress; latest call of recovery
//	:job:ID        hash    the job, see below
//	:request:ID    string  length of the request, the request, the envelope
//	:result:ID     string  the recorded response
//	:line:QUEUE    list    ids of the queued jobs, the next one first
//	:due:QUEUE     zset    ids of the scheduled jobs by time in microseconds
//	:owner:OWNER   zset    ids of the owner's jobs by order of creation
//	:waiting       hash    for each owner with a bound on waiting jobs how many of those
//	                       created under it wait
//	:key:DIGEST    string  id of the job that holds an idempotency key
//	:expiry        zset    ids and owners of the jobs that are over by the time they expire
//	:sessions      zset    sessions by the time their lease ends; 0: taken by recovery
//	:session:S     hash    name of the worker, when it joined; how many jobs it claimed,
//	                       number and first claim of the latest call; latest release
//	:lock:S        string  redislock's lock
//	:held:S        zset    id:claim of the jobs the session holds, by order of the claims
//	:stop:S        set     those of them that were asked to stop
//	:deleted:ID    string  latest call that deleted a job, for a minute
//	:recovery      string  redislock's lock of the process that recovers jobs
//
// The fields of a job are s state, v version, n attempt, m attempts at most, c number
// of the claim, q queue, o owner, rt route, e retention in milliseconds; cr created, rd
// ready, du due, st started, fi finished, ca asked to stop, in milliseconds; b bytes of
// the payload, u 1 when somebody got the job by its key, w 1 when its owner's waiting jobs
// are counted; r response, p progress, d
// problem; k digest of the idempotency key, f fingerprint; h session that holds it or was
// the last to, z what the latest settle did, x the latest release, y the latest retry.
// Short names and few fields keep the hash compact in the server's memory, as long as no
// value is longer than its hash-max-listpack-value of 64 bytes: failed jobs, whose problems
// are longer, take about 3 KB unless that is raised.
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
// They are messages on the channels :arrived, :watch:ID and :stop:S of a partition.
// Messages only hint: they wake idle workers, running jobs that were asked to stop, and
// those who watch a job. One that is lost delays, and loses nothing: workers renew their
// leases and look for jobs in any case. After a reconnect everybody is woken.
package redisstore
