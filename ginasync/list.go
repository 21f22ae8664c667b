package ginasync

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// StatusList is what GET on the status group answers with: one page of the caller's
// jobs, newest first.
type StatusList struct {
	Jobs []Status `json:"jobs"`
	// NextPageToken is page_token of the next page; left out on the last one.
	NextPageToken string `json:"next_page_token,omitempty"`
}

// List returns a page of the jobs of query.Owner, newest first. It asks nobody whether
// the caller may. Errors: store.ErrBadCursor when the cursor is none of these jobs with
// this filter; any other is the store's.
func (m *Manager) List(ctx context.Context, query store.Query) (store.Page, error) {
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return m.store.List(ctx, query)
}

// showList answers GET on the group itself, which is there only with WithOwner.
func (m *Manager) showList(c *gin.Context) {
	page, err := m.listFor(c)
	if err != nil {
		m.fail(c, err)
		return
	}
	list := StatusList{Jobs: make([]Status, 0, len(page.Jobs)), NextPageToken: page.Next}
	for i := range page.Jobs {
		if m.cfg.authorize == nil || m.cfg.authorize(c, page.Jobs[i], ActionList) == nil {
			list.Jobs = append(list.Jobs, m.statusOf(c, page.Jobs[i]))
		}
	}
	m.linkNext(c, page.Next)
	c.Header("Cache-Control", "private, no-store")
	c.JSON(http.StatusOK, &list)
}

// listFor reads the page that a request is about. Errors: also what is wrong with it.
func (m *Manager) listFor(c *gin.Context) (store.Page, error) {
	owner, err := m.requester(c)
	if err != nil {
		return store.Page{}, err
	}
	query, err := parseListQuery(c.Request.URL.RawQuery)
	if err != nil {
		return store.Page{}, err
	}
	query.Owner = owner
	page, err := m.List(c.Request.Context(), query)
	if errors.Is(err, store.ErrBadCursor) {
		err = fieldErrors{{paramPageToken, "query", "is none of this list with these filters: leave it out for the first page"}}.problem()
	}
	return page, err
}

// linkNext tells where the next page is (RFC 8288), all else being as it was asked for.
func (m *Manager) linkNext(c *gin.Context, token string) {
	if token == "" {
		return
	}
	if list := m.urlOf(c, c.FullPath()); list != "" {
		c.Writer.Header().Add("Link", "<"+list+"?"+nextQuery(c.Request.URL.Query(), token)+`>; rel="next"`)
	}
}

func nextQuery(asked url.Values, token string) string {
	asked.Set(paramPageToken, token)
	return asked.Encode()
}
