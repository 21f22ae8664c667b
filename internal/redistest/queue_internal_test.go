package redistest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// push returns a message of the server as RESP2 ('*') or RESP3 ('>') has it.
func push(kind, word string) string {
	return kind + "3\r\n$9\r\n" + word + "\r\n$1\r\na\r\n:1\r\n"
}

func TestQueue(t *testing.T) {
	for name, c := range map[string]struct {
		commands []string // the last one has the verdict DropReply
		replies  []string // the last one is the answer to it
	}{
		"a reply for each command": {
			[]string{"PING", "GET a", "INCR a"}, []string{"+PONG\r\n", "$-1\r\n", ":1\r\n"},
		},
		"messages of RESP3 between the replies": {
			[]string{"PING", "GET a"}, []string{push(">", "message"), "+PONG\r\n", push(">", "invalidate"), "$-1\r\n"},
		},
		"a confirmation of RESP3 for each channel": {
			[]string{"SUBSCRIBE a b", "subscribe c"},
			[]string{push(">", "subscribe"), push(">", "subscribe"), push(">", "message"), push(">", "subscribe")},
		},
		"a confirmation of RESP2 for each channel": {
			[]string{"SUBSCRIBE a b", "subscribe c"},
			[]string{push("*", "subscribe"), push("*", "subscribe"), push("*", "message"), push("*", "subscribe")},
		},
		"more confirmations than channels were named": {
			[]string{"PSUBSCRIBE a b", "PUNSUBSCRIBE", "PING"},
			[]string{
				push("*", "psubscribe"), push("*", "psubscribe"), push("*", "pmessage"),
				push("*", "punsubscribe"), push("*", "punsubscribe"), push("*", "pong"),
			},
		},
		"an error instead of confirmations": {
			[]string{"SUBSCRIBE a b", "PING"}, []string{"-NOPERM\r\n", "+PONG\r\n"},
		},
		"data that looks like a message": {
			[]string{"LRANGE a 0 -1", "LRANGE a 0 -1"}, []string{push("*", "message"), push("*", "subscribe")},
		},
		"lines without a command": {
			[]string{"", "PING", "", "PING"}, []string{"+PONG\r\n", "+PONG\r\n"},
		},
		"a reply without a command": {
			[]string{"PING"}, []string{"+PONG\r\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var q queue
			assert.False(t, q.drops([]byte("-ERR before any command\r\n")))
			assert.False(t, q.answered([]byte("-ERR before any command\r\n")))
			for i, command := range c.commands {
				verdict := Pass
				if i == len(c.commands)-1 {
					verdict = DropReply
				}
				assert.False(t, q.add(strings.Fields(command), verdict))
			}
			for i, reply := range c.replies {
				assert.Equal(t, i == len(c.replies)-1, q.drops([]byte(reply)), "reply %d", i)
				assert.False(t, q.answered([]byte(reply)), "reply %d", i)
			}
			assert.Empty(t, q.commands)
		})
	}
	t.Run("ends where a command is dropped", func(t *testing.T) {
		var q queue
		assert.True(t, q.add([]string{"PING"}, DropCommand), "nothing waits")
		q.add([]string{"PING"}, Pass)
		q.add([]string{"PING"}, Pass)
		assert.False(t, q.add([]string{"INCR"}, DropCommand))
		assert.False(t, q.answered([]byte("+PONG\r\n")))
		assert.True(t, q.answered([]byte("+PONG\r\n")))
	})
	t.Run("ends at a stream with any verdict", func(t *testing.T) {
		for _, verdict := range []Verdict{DropReply, DropCommand} {
			var q queue
			q.add([]string{"MONITOR"}, Pass)
			assert.True(t, q.isUnmatched())
			q.add([]string{"PING"}, verdict)
			assert.True(t, q.unmatch())
			assert.True(t, q.isUnmatched())
			assert.True(t, q.add([]string{"PING"}, verdict))
			assert.False(t, q.add([]string{"PING"}, Pass))
		}
	})
}
