package chaos_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// appendOnly has a server write each change to its append-only file before it answers,
// and keep all of that.
var appendOnly = []string{"appendonly yes", "appendfsync always", "auto-aof-rewrite-percentage 0"}

// written is how often something of a job was written in the life of a server.
type written struct{ endings, results int }

// mustHaveWrittenOnce asserts that in all its life a server wrote one terminal state and
// one result for each job. Redis writes to the file what a script did, not the script.
func mustHaveWrittenOnce(t *testing.T, dir string, ids []string) {
	t.Helper()
	jobs := readWrites(t, dir)
	for _, id := range ids {
		assert.Equal(t, written{endings: 1, results: 1}, jobs[id], "writes of job %s", id)
	}
}

func readWrites(t *testing.T, dir string) map[string]written {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	require.NoError(t, err)
	if len(files) == 0 { // before Redis 7 there was one file
		files = []string{filepath.Join(dir, "appendonly.aof")}
	}
	jobs := make(map[string]written)
	for _, name := range files {
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		for r := bufio.NewReader(bytes.NewReader(file)); ; {
			command, err := readRecord(r)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			countWrite(jobs, command)
		}
	}
	return jobs
}

// countWrite looks for SET …:job:ID with the record of a job that is over, which has the
// result if it has completed; of a failed one SETRANGE …:job:ID 0 writes the head of that
// record, and SET …:outcome:ID … PXAT the result.
func countWrite(jobs map[string]written, command []string) {
	const stateAt, completed, over = 18, "c", "cfx"
	var key, value string
	switch {
	case len(command) > 2 && strings.EqualFold(command[0], "SET"):
		key, value = command[1], command[2]
	case len(command) > 3 && strings.EqualFold(command[0], "SETRANGE") && command[2] == "0":
		key, value = command[1], command[3]
	}
	id := key[strings.LastIndexByte(key, ':')+1:]
	w := jobs[id]
	switch {
	case strings.Contains(key, ":job:") && len(value) > stateAt && strings.Contains(over, value[stateAt:stateAt+1]):
		w.endings++
		if value[stateAt:stateAt+1] == completed {
			w.results++
		}
	case strings.Contains(key, ":outcome:") && hasResponse(value):
		w.results++
	default:
		return
	}
	jobs[id] = w
}

// hasResponse reports whether an outcome has one: it is behind the length of the summary
// and the progress.
func hasResponse(outcome string) bool {
	length := func(at int) int { return int(binary.LittleEndian.Uint32([]byte(outcome[at:]))) }
	return length(8+length(4)) > 0
}

// readRecord reads one command.
func readRecord(r *bufio.Reader) ([]string, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	command := make([]string, n)
	for i := range command {
		size, err := readLength(r)
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+len("\r\n"))
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		command[i] = string(text[:size])
	}
	return command, nil
}

func readLength(r *bufio.Reader) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
