package chaos_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
)

// ask sends a request to one of the processes, and to another one when that does not
// answer, unless the request may have reached it and must not be repeated.
func (f *fleet) ask(method, path string) (code int, body []byte, err error) {
	f.mu.Lock()
	addrs := make([]string, 0, len(f.live))
	for _, p := range f.live {
		addrs = append(addrs, p.addr)
	}
	f.mu.Unlock()
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	err = fmt.Errorf("no process")
	for _, addr := range addrs {
		code, body, err = f.send(method, "http://"+addr+path)
		var refused *net.OpError
		repeatable := method == http.MethodGet || errors.As(err, &refused) && refused.Op == "dial"
		if err == nil || !repeatable {
			break
		}
	}
	return code, body, err
}

func (f *fleet) send(method, url string) (code int, body []byte, err error) {
	request, err := http.NewRequest(method, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
