package redistest

import (
	"bufio"
	"net"
	"sync"
)

// side is the end of a link that is written to. Its methods are called with its lock, so
// that no write is under way once somebody else has that.
type side struct {
	sync.Mutex
	w      *bufio.Writer
	closed error // why nothing passes any more, or nil
}

// put passes bytes on, with the next flush at the latest.
func (s *side) put(raw []byte) error {
	if s.closed != nil {
		return s.closed
	}
	_, err := s.w.Write(raw)
	return err
}

func (s *side) flush() error {
	if s.closed != nil {
		return s.closed
	}
	return s.w.Flush()
}

// source reads from one end and first, as that may take long, flushes the other: what
// comes together is passed on together and nothing is kept back.
type source struct {
	conn net.Conn
	to   *side
}

func (s source) Read(p []byte) (int, error) {
	s.to.Lock()
	err := s.to.flush()
	s.to.Unlock()
	if err != nil {
		return 0, err
	}
	return s.conn.Read(p)
}
