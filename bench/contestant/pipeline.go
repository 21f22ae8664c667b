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

func (b *batches) record(id string) string { return b.prefix + ":job:" + id }

// Times and numbers are as long as real ones.
const (
	laterMillis = "1790086400000"
	nowMicros   = "1790000000000000"
)

// Heads, names and values of running jobs are as long as real ones.
var (
	recordHead   = string(make([]byte, 81+2+len(queueName)+2+2+len(routeName)+2))
	runningValue = string(make([]byte, 30))
	summary      = string(make([]byte, 4+4+4+22+4))
)

func (b *batches) create(c *commands) {
	owners, line := []string{"ZADD", b.prefix + ":owner:"}, []string{"RPUSH", b.prefix + ":line:" + queueName}
	c.add("HMGET", b.prefix, "order", "queued", "scheduled")
	for i := range b.ids {
		b.ids[i] = b.source.New('a')
		id := b.ids[i]
		owners = append(owners, nowMicros, id)
		line = append(line, id)
		c.add("SET", b.record(id), recordHead+string(b.body), "NX")
	}
	c.add(owners...)
	c.add(line...)
	c.add("PUBLISH", b.prefix+":arrived", queueName)
	c.add("HINCRBY", b.prefix, "queued", strconv.Itoa(len(b.ids)))
	c.add("HSET", b.prefix, "order", nowMicros)
}

func (b *batches) claim(c *commands) {
	records := []string{"MGET"}
	running, held := []string{"HSET", b.prefix + ":running"}, []string{"SADD", b.prefix + ":held:bench"}
	c.add("HMGET", b.prefix+":session:bench", "call", "from", "claims", "joined")
	c.add("GET", b.prefix+":lock:bench")
	c.add("ZRANGE", b.prefix+":due:"+queueName, "0", "0", "WITHSCORES")
	c.add("LPOP", b.prefix+":line:"+queueName, strconv.Itoa(len(b.ids)))
	for _, id := range b.ids {
		records = append(records, b.record(id))
		running = append(running, id, runningValue)
		held = append(held, id)
	}
	c.add(records...)
	c.add(running...)
	c.add(held...)
	c.add("HSET", b.prefix+":session:bench", "call", "1", "from", "1", "claims", "1")
	c.add("HINCRBY", b.prefix, "queued", strconv.Itoa(-len(b.ids)))
	c.add("EXISTS", b.prefix+":watched")
}

func (b *batches) settle(c *commands) {
	running := []string{"HMGET", b.prefix + ":running"}
	over, held := []string{"HDEL", b.prefix + ":running"}, []string{"SREM", b.prefix + ":held:bench"}
	expiry := []string{"ZADD", b.prefix + ":expiry"}
	for _, id := range b.ids {
		running, over, held = append(running, id), append(over, id), append(held, id)
		expiry = append(expiry, laterMillis, id)
	}
	c.add("GET", b.prefix+":lock:bench")
	c.add(running...)
	c.add(over...)
	c.add(held...)
	for _, id := range b.ids {
		c.add("SET", b.record(id), recordHead+summary+string(b.result), "PXAT", laterMillis)
	}
	c.add(expiry...)
	c.add("EXISTS", b.prefix+":watched")
}
