package contestant

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"

	"github.com/asyncendpoints/gin-async/store"
)

// pipeline sends Redis the commands that redisstore's scripts call for a job from
// submission to kept result, without scripts, and looks at no reply: what Redis itself
// can carry. As in the scripts, what concerns many jobs at once is one command for all
// jobs that go together. Half of the jobs that run at once go together, so that one half
// is on its way while the other is worked on.
type pipeline struct {
	addr  string
	batch int
	work  Work
}

// pipelineConns is how many connections are used.
const pipelineConns = 2

func openPipeline(setup Setup, work Work) *pipeline {
	return &pipeline{addr: setup.Redis, batch: max(setup.Concurrency/pipelineConns, 1), work: work}
}

// Submit is not for a contestant that works by itself.
func (p *pipeline) Submit(context.Context, []byte) (string, error) {
	return "", errors.New("the pipeline submits by itself")
}

func (p *pipeline) Close(context.Context) error { return nil }

// Pump works until ctx is done.
func (p *pipeline) Pump(ctx context.Context) error {
	errs := make([]error, pipelineConns)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = p.pumpOne(ctx, "{"+strconv.Itoa(i)+"}") })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (p *pipeline) pumpOne(ctx context.Context, prefix string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	loop := batches{prefix: "ginasync:" + prefix, body: Body(0), result: Result(), ids: make([]string, p.batch)}
	replies := bufio.NewReaderSize(conn, 64<<10)
	for ctx.Err() == nil {
		for _, step := range []func(*commands){loop.create, loop.claim, loop.settle} {
			var sent commands
			sent.text, loop.spare = loop.spare[:0], nil
			step(&sent)
			p.work.Called()
			if _, err := conn.Write(sent.text); err != nil {
				return err
			}
			if err := skipReplies(replies, sent.n); err != nil {
				return err
			}
			loop.spare = sent.text
		}
		p.work.Kept(p.batch)
	}
	return nil
}

// batches writes the commands of the jobs that go together.
type batches struct {
	prefix       string
	body, result []byte
	source       store.IDSource
	ids          []string
	spare        []byte
}

func (b *batches) record(id string) string  { return b.prefix + ":job:" + id }
func (b *batches) request(id string) string { return b.prefix + ":request:" + id }

// Times and numbers are as long as real ones.
const (
	nowMillis   = "1790000000000"
	laterMillis = "1790086400000"
	nowMicros   = "1790000000000000"
)

func (b *batches) create(c *commands) {
	exists, owners, line := []string{"EXISTS"}, []string{"ZADD", b.prefix + ":owner:"}, []string{"RPUSH", b.prefix + ":line:" + queueName}
	for i := range b.ids {
		b.ids[i] = b.source.New('a')
		id := b.ids[i]
		exists = append(exists, b.record(id))
		owners = append(owners, nowMicros, id)
		line = append(line, id)
		c.add("HSET", b.record(id), "s", "queued", "v", "1", "n", "0", "c", "0", "m", "4", "q", queueName,
			"rt", routeName, "cr", nowMillis, "rd", nowMillis, "e", "86400000")
		c.add("SET", b.request(id), string(b.body))
	}
	c.add(exists...)
	c.add(owners...)
	c.add(line...)
	c.add("PUBLISH", b.prefix+":arrived", queueName)
	c.add("HSET", b.prefix, "order", nowMicros)
	c.add("HINCRBY", b.prefix, "queued", strconv.Itoa(len(b.ids)))
}

func (b *batches) claim(c *commands) {
	requests, held := []string{"MGET"}, []string{"ZADD", b.prefix + ":held:bench"}
	c.add("GET", b.prefix+":lock:bench")
	c.add("LPOP", b.prefix+":line:"+queueName, strconv.Itoa(len(b.ids)))
	for i, id := range b.ids {
		requests = append(requests, b.request(id))
		held = append(held, strconv.Itoa(i), id+":1")
		c.add("HMGET", b.record(id), "v", "n", "c", "s", "m", "q", "o", "rt", "cr", "rd", "st", "ca", "p", "d")
		c.add("HSET", b.record(id), "v", "2", "n", "1", "c", "1", "s", "in_progress", "st", nowMillis, "h", "bench")
		c.add("PUBLISH", b.prefix+":watch:"+id, "2")
	}
	c.add(requests...)
	c.add(held...)
	c.add("HSET", b.prefix+":session:bench", "call", "1", "from", "1", "claims", "1")
}

func (b *batches) settle(c *commands) {
	unneeded, expiry, held := []string{"DEL"}, []string{"ZADD", b.prefix + ":expiry"}, []string{"ZREM", b.prefix + ":held:bench"}
	c.add("GET", b.prefix+":lock:bench")
	for _, id := range b.ids {
		unneeded = append(unneeded, b.request(id))
		expiry = append(expiry, laterMillis, id)
		held = append(held, id+":1")
		c.add("HMGET", b.record(id), "v", "ca", "e", "o", "k", "d", "s", "h", "c")
		c.add("HSET", b.record(id), "s", "completed", "v", "3", "fi", nowMillis, "z", "1 completed bench", "r", "200 text/plain 128")
		c.add("PEXPIREAT", b.record(id), laterMillis)
		c.add("SET", b.prefix+":result:"+id, string(b.result), "PXAT", laterMillis)
		c.add("PUBLISH", b.prefix+":watch:"+id, "3")
	}
	c.add(unneeded...)
	c.add(expiry...)
	c.add(held...)
	c.add("HINCRBY", b.prefix, "queued", strconv.Itoa(-len(b.ids)))
}
