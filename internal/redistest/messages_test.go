package redistest_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

func TestVerdictsBesideMessages(t *testing.T) {
	t.Parallel()
	proxy, direct := startProxy(t)
	publish := func(t *testing.T) {
		t.Helper()
		require.NoError(t, direct.Publish(t.Context(), "news", "x").Err())
	}
	t.Run("messages of RESP3 are no replies", func(t *testing.T) {
		proxy.Intercept(on("ECHO last", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("HELLO 3")
		for line := ""; line != "*0"; line = strings.TrimSpace(line) {
			var err error
			line, err = w.r.ReadString('\n')
			require.NoError(t, err)
		}
		w.send("SUBSCRIBE news more", "ECHO a", "UNSUBSCRIBE more", "ECHO b")
		w.receives(">3", "$9", "subscribe", "$4", "news", ":1", ">3", "$9", "subscribe", "$4", "more", ":2", "$1", "a",
			">3", "$11", "unsubscribe", "$4", "more", ":1", "$1", "b")
		publish(t)
		message := []string{">3", "$7", "message", "$4", "news", "$1", "x"}
		w.receives(message...)
		w.send("BLPOP wait 0", "ECHO last")
		publish(t)
		w.receives(message...)
		require.NoError(t, direct.RPush(t.Context(), "wait", "y").Err())
		w.receives("*2", "$4", "wait", "$1", "y")
		w.ends()
	})
	t.Run("the confirmation of a subscription is dropped like a reply", func(t *testing.T) {
		proxy.Intercept(on("SUBSCRIBE news", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("PING", "SUBSCRIBE news")
		w.receives("+PONG")
		w.ends()
	})
	t.Run("messages of RESP2 are no replies", func(t *testing.T) {
		proxy.Intercept(on("PING last", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("SUBSCRIBE news more", "PING a")
		w.receives("*3", "$9", "subscribe", "$4", "news", ":1", "*3", "$9", "subscribe", "$4", "more", ":2",
			"*2", "$4", "pong", "$1", "a")
		publish(t)
		message := []string{"*3", "$7", "message", "$4", "news", "$1", "x"}
		w.receives(message...)
		w.send("UNSUBSCRIBE", "PING b", "PING last")
		w.receives("*3", "$11", "unsubscribe")
		for line := ""; line != "b"; line = strings.TrimSpace(line) { // the channels come in any order
			var err error
			line, err = w.r.ReadString('\n')
			require.NoError(t, err)
		}
		w.ends()
	})
	for name, verdict := range map[string]redistest.Verdict{
		"DropReply": redistest.DropReply, "DropCommand": redistest.DropCommand,
	} {
		t.Run("where nothing is a reply the connection ends at "+name, func(t *testing.T) {
			proxy.Intercept(on("RESET", verdict))
			w := dial(t, proxy.Addr())
			w.send("MONITOR")
			w.receives("+OK")
			w.send("RESET")
			w.ends()
		})
	}
	t.Run("and the server still runs what is only not answered", func(t *testing.T) {
		stats := func() string {
			return direct.InfoMap(t.Context(), "commandstats").Item("Commandstats", "cmdstat_reset")
		}
		require.Contains(t, stats(), "calls=1,")
		proxy.Intercept(on("RESET", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("MONITOR", "RESET")
		_, err := io.Copy(io.Discard, w.r)
		require.NoError(t, err)
		assert.Eventually(t, func() bool { return strings.Contains(stats(), "calls=2,") }, 10*time.Second, time.Millisecond)
	})
	t.Run("a subscription that is refused leaves replies in their place", func(t *testing.T) {
		proxy.Intercept(on("ECHO last", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("SUBSCRIBE", "ECHO a", "ECHO last")
		w.receives("-ERR wrong number of arguments for 'subscribe' command", "$1", "a")
		w.ends()
	})
}
