package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManyProcesses runs several processes on one Redis.
func TestManyProcesses(t *testing.T) {
	binary := buildApp(t)
	for name, test := range map[string]func(t *testing.T, binary string){
		"a job of one process is run, shown and answered by another":      isShared,
		"the job of a killed process is finished by another":              outlivesItsProcess,
		"a job is cancelled through a process that does not run it":       isCancelledFromElsewhere,
		"a job is awaited and streamed by a process that does not run it": isFollowedFromElsewhere,
		"jobs that wait when a process ends are run by the next one":      outlivesARestart,
		"a process that starts before Redis works when Redis is there":    startsBeforeRedis,
		"a full Redis refuses jobs and keeps those it has":                staysFull,
		"what is encrypted is nowhere in Redis, and a wrong key says so":  isEncrypted,
		"without a key the credentials are nowhere in Redis":              keepsNoCredentials,
		"an idempotency key means the same to all processes":              keepsIdempotencyKeys,
		"a Cluster shares the jobs, spread over partitions":               worksOnACluster,
		"Sentinels lead to the server, also to the one after a fail-over": worksWithSentinels,
	} {
		t.Run(name, func(t *testing.T) { test(t, binary) })
	}
}

// onRedis starts the program with the jobs in a Redis.
func onRedis(t *testing.T, binary string, server *redistest.Server, args ...string) *app {
	t.Helper()
	return startApp(t, binary, append([]string{"-redis", "redis://" + server.Addr()}, args...)...)
}

func isShared(t *testing.T, binary string) {
	server := redistest.Start(t)
	accepting := onRedis(t, binary, server, "-workers=false")
	running := onRedis(t, binary, server)
	path := accepting.submit(t, upload(t, accepting.url+"/thumbnails?width=64", "image", asPNG(t, gradient(300, 200))))
	accepting.await(t, path, patience, inState("completed"))
	assert.Equal(t, "completed", running.status(t, path).State)

	here, there := accepting.get(t, path+"/result"), running.get(t, path+"/result")
	for _, result := range []answer{here, there} {
		assert.Equal(t, "200", result.Header.Get("AsyncResult"))
		assert.Equal(t, "image/png", result.Header.Get("Content-Type"))
	}
	assert.Equal(t, here.body, there.body)
}

func outlivesItsProcess(t *testing.T, binary string) {
	server := redistest.Start(t)
	first := onRedis(t, binary, server, "-lease", "1s")
	path := first.submit(t, post(t, first.url+"/slow/3"))
	first.await(t, path, patience, isUnderWay)
	second := onRedis(t, binary, server, "-lease", "1s")
	second.await(t, path, patience, inState("in_progress"))

	first.kill(t)
	done := second.await(t, path, patience, inState("completed"))
	assert.Equal(t, 2, done.Attempt)
	result := second.get(t, path+"/result")
	assert.Equal(t, "200", result.Header.Get("AsyncResult"))
	assert.Equal(t, "done after 3 s\n", string(result.body))
	assert.NotContains(t, first.logged(), "slow work finished")
	assert.Contains(t, second.logged(), "slow work finished")
}

func isCancelledFromElsewhere(t *testing.T, binary string) {
	server := redistest.Start(t)
	running := onRedis(t, binary, server)
	other := onRedis(t, binary, server, "-workers=false")
	path := running.submit(t, post(t, running.url+"/slow/60"))
	other.await(t, path, patience, isUnderWay)

	asked := other.send(t, post(t, other.url+path+"/cancel"))
	assert.Equal(t, http.StatusAccepted, asked.StatusCode, "%s", asked.body)
	other.await(t, path, patience, inState("canceled"))
	assert.Equal(t, "canceled", running.status(t, path).State)
	assert.Zero(t, running.terminate(t, patience), "it runs nothing any more")
	assert.NotContains(t, running.logged(), "slow work finished")
}

func outlivesARestart(t *testing.T, binary string) {
	server := redistest.Start(t)
	before := onRedis(t, binary, server, "-workers=false")
	path := before.submit(t, post(t, before.url+"/slow/0"))
	assert.Equal(t, "queued", before.status(t, path).State)
	assert.Zero(t, before.terminate(t, patience))
	after := onRedis(t, binary, server)
	after.await(t, path, patience, inState("completed"))
	assert.Zero(t, after.terminate(t, patience))
}

func startsBeforeRedis(t *testing.T, binary string) {
	server := redistest.Start(t)
	server.Stop()
	service := onRedis(t, binary, server)
	refused := service.send(t, post(t, service.url+"/slow/0"))
	assert.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
	assert.NotEmpty(t, refused.Header.Get("Retry-After"))
	assert.Contains(t, string(refused.body), "store-unavailable")
	unknown := service.get(t, "/jobs/"+new(store.IDSource).New('a'))
	assert.Equal(t, http.StatusServiceUnavailable, unknown.StatusCode, "whether there is such a job, nobody can tell")

	server.Restart(t)
	var accepted answer
	require.Eventually(t, func() bool {
		accepted = service.send(t, post(t, service.url+"/slow/0"))
		return accepted.StatusCode == http.StatusAccepted
	}, patience, 50*time.Millisecond)
	service.await(t, accepted.Header.Get("Location"), patience, inState("completed"))
	assert.Contains(t, service.logged(), "cannot join the store")
	assert.Contains(t, service.logged(), "joined the store")
}

func staysFull(t *testing.T, binary string) {
	server := redistest.Start(t)
	admin := server.Client(t)
	service := onRedis(t, binary, server)
	path := service.submit(t, post(t, service.url+"/slow/0"))
	service.await(t, path, patience, inState("completed"))

	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
	refused := service.send(t, post(t, service.url+"/slow/0"))
	assert.Equal(t, http.StatusServiceUnavailable, refused.StatusCode, "%s", refused.body)
	assert.Equal(t, "done after 0 s\n", string(service.get(t, path+"/result").body))

	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
	path = service.submit(t, post(t, service.url+"/slow/0"))
	service.await(t, path, patience, inState("completed"))
}

// clusterURL is the URL of a Cluster as its users write it.
func clusterURL(addrs []string) string {
	return "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
}

func worksOnACluster(t *testing.T, binary string) {
	cluster := redistest.StartCluster(t, 3)
	accepting := startApp(t, binary, "-redis", clusterURL(cluster.Addrs()), "-workers=false")
	running := startApp(t, binary, "-redis", clusterURL(cluster.Addrs()))
	partitions := make(map[byte]bool)
	for range 2 * clusterPartitions {
		path := accepting.submit(t, post(t, accepting.url+"/slow/0"))
		accepting.await(t, path, patience, inState("completed"))
		assert.Equal(t, "200", running.get(t, path+"/result").Header.Get("AsyncResult"))
		partitions[strings.TrimPrefix(path, "/jobs/")[0]] = true
	}
	assert.Len(t, partitions, clusterPartitions)
}

func worksWithSentinels(t *testing.T, binary string) {
	sentinel := redistest.StartSentinel(t)
	addrs := sentinel.Addrs()
	url := clusterURL(addrs) + "&master_name=" + sentinel.Name()
	accepting := startApp(t, binary, "-redis", url, "-workers=false")
	running := startApp(t, binary, "-redis", url)
	finishesAJob := func() {
		var accepted answer
		require.Eventually(t, func() bool {
			accepted = accepting.send(t, post(t, accepting.url+"/slow/0"))
			return accepted.StatusCode == http.StatusAccepted
		}, 2*patience, 50*time.Millisecond)
		running.await(t, accepted.Header.Get("Location"), patience, inState("completed"))
	}
	finishesAJob()
	sentinel.Master().Kill()
	finishesAJob()
}
