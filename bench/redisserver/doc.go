// Package redisserver runs a redis-server of the benchmark's own on a free port of the
// loopback interface, and asks it what it has used.
package redisserver
