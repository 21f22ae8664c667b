package ginasync

// ExposeHeaders returns the names of the response headers that a script of another
// origin needs to read, for a CORS middleware: without being told, browsers hide them
// (Fetch standard, "CORS-safelisted response-header name"). With gin-contrib/cors:
//
//	engine.Use(cors.New(cors.Config{
//		AllowOrigins:  []string{"https://app.example.com"},
//		AllowMethods:  append(ginasync.AllowMethods(), "PUT", "PATCH"),
//		AllowHeaders:  append(ginasync.AllowHeaders(), "Authorization"),
//		ExposeHeaders: ginasync.ExposeHeaders(),
//	}))
//
// The middleware belongs on the engine, for a preflight request finds no route. Headers
// that a handler writes into its result are not in the list. The slice is the caller's.
func ExposeHeaders() []string {
	return []string{
		"Accept-Ranges", "Allow", asyncResult, "Content-Location", "Content-Range", "ETag", "Idempotent-Replayed",
		"Link", "Location", "Preference-Applied", "Retry-After",
	}
}

// AllowHeaders returns the names of the request headers that the job routes and
// asynchronous routes understand, for a CORS middleware, as in [ExposeHeaders]. An
// application adds those of its own, such as Authorization. The slice is the caller's.
func AllowHeaders() []string {
	return []string{
		"Content-Type", "Idempotency-Key", "If-None-Match", "If-Range", "Last-Event-ID", "Prefer", "Range",
	}
}

// AllowMethods returns the methods of the job routes, for a CORS middleware, as in
// [ExposeHeaders]. An application adds those of its asynchronous routes. The slice is the
// caller's.
func AllowMethods() []string {
	return []string{"GET", "HEAD", "POST", "DELETE"}
}
