package contestant

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
)

// commands is text in Redis's protocol.
type commands struct {
	text []byte
	n    int
}

func (c *commands) add(words ...string) {
	c.n++
	c.text = append(strconv.AppendInt(append(c.text, '*'), int64(len(words)), 10), "\r\n"...)
	for _, word := range words {
		c.text = append(strconv.AppendInt(append(c.text, '$'), int64(len(word)), 10), "\r\n"...)
		c.text = append(append(c.text, word...), "\r\n"...)
	}
}

// skipReplies reads n replies. An error in one of them is returned.
func skipReplies(r *bufio.Reader, n int) error {
	for ; n > 0; n-- {
		head, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		head = bytes.TrimSuffix(head, []byte("\r\n"))
		if len(head) == 0 {
			return fmt.Errorf("an empty reply")
		}
		switch head[0] {
		case '-':
			return fmt.Errorf("redis: %s", head[1:])
		case '$', '*':
			size, err := strconv.Atoi(string(head[1:]))
			switch {
			case err != nil:
				return err
			case size < 0: // nil
			case head[0] == '*':
				n += size
			default:
				if _, err := r.Discard(size + 2); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
