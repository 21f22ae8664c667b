package redisserver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	info := fieldsOf("# CPU\r\nused_cpu_sys:0.500000\r\nused_cpu_user:1.250000\r\nused_cpu_sys_children:9\r\n" +
		"# Commandstats\r\ncmdstat_evalsha:calls=2,usec=10\r\ncmdstat_hset:calls=3,usec=1,rejected_calls=0\r\n" +
		"cmdstat_info:calls=100,usec=1\r\ncmdstat_client|setinfo:calls=7,usec=1\r\n")
	usage, err := usageOf(info)
	require.NoError(t, err)
	require.Equal(t, 1750*time.Millisecond, usage.CPU)
	require.Equal(t, int64(5), usage.Commands, "those of connections and of measuring do not count")

	delete(info, "used_cpu_sys")
	_, err = usageOf(info)
	require.ErrorContains(t, err, "used_cpu_sys")
}
