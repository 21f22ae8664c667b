package site

import "sync"

// window bounds how many submitted jobs are not kept yet. When it is full, those who wait
// go on when it is half empty, all at once: to wake one for each job would cost more than
// some jobs do. Jobs of other processes may be kept here, so the count may fall below zero.
type window struct {
	mu    sync.Mutex
	room  *sync.Cond
	open  int
	size  int
	full  bool
	ended bool
}

func newWindow() *window {
	w := &window{}
	w.room = sync.NewCond(&w.mu)
	return w
}

// resize sets how many there may be.
func (w *window) resize(size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size, w.open, w.full, w.ended = size, 0, false, false
}

// enter waits for room; false: there is no need any more.
func (w *window) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.full && !w.ended {
		w.room.Wait()
	}
	w.open++
	w.full = w.open >= w.size
	return !w.ended
}

// leave makes room for n.
func (w *window) leave(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open -= n
	if w.full && w.open <= w.size/2 {
		w.full = false
		w.room.Broadcast()
	}
}

// end lets everybody go.
func (w *window) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.room.Broadcast()
}
