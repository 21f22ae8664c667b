// Package outbound sends messages to URLs that others have chosen: operators, who are
// trusted, and clients, who may want to reach with the server's hands what they cannot
// reach with their own (server-side request forgery).
//
// What a client may name is checked twice: the URL when it is given ([Hosts]), and the
// address that its host turns out to have when the connection is made ([Guard]). The
// second check is the one that holds: a name may have another address a moment later.
package outbound
