package redistest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// errProtocol tells bytes that are no RESP from a connection that ended.
var errProtocol = errors.New("not the protocol of Redis")

// maxBulk is the longest string that Redis takes.
const maxBulk = 512 << 20

// readCommand reads one command as a client sends it: an array of bulk strings, or a line
// of words. It returns the bytes as well, to be passed on. An empty line and an empty
// array are no command: nil.
func readCommand(r *bufio.Reader) (raw []byte, command []string, err error) {
	raw, err = r.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	if raw[0] != '*' {
		return raw, strings.Fields(string(raw)), nil
	}
	count, err := length(raw)
	if err != nil {
		return nil, nil, err
	}
	for range count {
		header, err := r.ReadBytes('\n')
		if err != nil {
			return nil, nil, midway(err)
		}
		if header[0] != '$' {
			return nil, nil, fmt.Errorf("%w: %q where a bulk string belongs", errProtocol, header)
		}
		size, err := length(header)
		if err != nil {
			return nil, nil, err
		}
		text := make([]byte, max(0, size)+len("\r\n"))
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, nil, midway(err)
		}
		raw = append(append(raw, header...), text...)
		command = append(command, string(text[:len(text)-len("\r\n")]))
	}
	return raw, command, nil
}

// copyReply copies one reply, however nested, of RESP2 or RESP3.
func copyReply(w io.Writer, r *bufio.Reader) error {
	for values := 1; values > 0; values-- {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		switch line[0] {
		case '+', '-', ':', '_', ',', '#', '(': // simple string, error, integer, null, double, boolean, big number
			continue
		}
		count, err := length(line)
		if err != nil {
			return err
		}
		switch line[0] {
		case '$', '=', '!': // bulk string, verbatim string, bulk error
			if count >= 0 {
				_, err = io.CopyN(w, r, int64(count)+int64(len("\r\n")))
			}
		case '*', '~', '>': // array, set, push
			values += max(0, count)
		case '%': // map
			values += 2 * count
		case '|': // attributes, which come before the value that has them
			values += 2*count + 1
		default:
			err = fmt.Errorf("%w: %q where a reply begins", errProtocol, line)
		}
		if err != nil {
			return midway(err)
		}
	}
	return nil
}

// length reads the number behind the first byte of a line. -1 stands for null.
func length(line []byte) (int, error) {
	number, err := strconv.Atoi(string(bytes.TrimRight(line[1:], "\r\n")))
	if err != nil || number < -1 || number > maxBulk {
		return 0, fmt.Errorf("%w: no length in %q", errProtocol, line)
	}
	return number, nil
}

// midway tells an end within a command or reply from one between two.
func midway(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// firstWord returns the first element of an array or push, in lower case, if that is a
// bulk string, or else nothing.
func firstWord(reply []byte) string {
	parts := bytes.SplitN(reply, []byte("\r\n"), 4)
	if len(parts) < 4 || !bytes.HasPrefix(parts[1], []byte("$")) || bytes.IndexByte([]byte("*>"), reply[0]) < 0 {
		return ""
	}
	return strings.ToLower(string(parts[2]))
}
