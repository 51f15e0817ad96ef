// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// sender writes whole requests to its own connection: the client shares the processors with what it measures,
// so it does as little as can be.
type sender struct {
	connection net.Conn
	in         *bufio.Reader
	head, body []byte
	target     target
	made       [][]byte
	taken      []time.Duration
	err        error
}

func (s *sender) connect() (err error) {
	s.connection, err = net.Dial("tcp", s.target.host)
	s.in = bufio.NewReader(s.connection)
	return err
}

func newSender(t target, made [][]byte) (*sender, error) {
	path := t.path
	if t.lease != "" {
		path += "/journalentries"
	}
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pulumi-cli/1 (v3.259.0; linux)\r\nAccept: application/vnd.pulumi+9\r\n"+
		"Accept-Encoding: gzip\r\nContent-Type: application/json\r\n", t.method, path, t.host)
	if t.lease != "" {
		head += "Authorization: update-token " + t.lease + "\r\n"
	}
	s := &sender{head: []byte(head), target: t, made: made}
	return s, s.connect()
}

// done says whether a journal has had every batch; a plain address takes them again and again.
func (s *sender) done() bool { return s.target.lease != "" && len(s.taken) == len(s.made) }

func (s *sender) run(until time.Time) {
	defer func() { s.connection.Close() }()
	s.taken = make([]time.Duration, 0, len(s.made))
	for start := time.Now(); start.Before(until) && !s.done(); {
		if s.err = s.exchange(s.made[len(s.taken)%len(s.made)]); s.err != nil {
			return
		}
		end := time.Now()
		s.taken = append(s.taken, end.Sub(start))
		start = end
	}
}

func (s *sender) exchange(body []byte) error {
	request := append(s.body[:0], s.head...)
	if s.target.bare {
		request = append(request, "\r\n"...)
	} else {
		request = append(request, "Content-Encoding: gzip\r\nContent-Length: "...)
		request = strconv.AppendInt(request, int64(len(body)), 10)
		request = append(append(request, "\r\n\r\n"...), body...)
	}
	s.body = request
	if _, err := s.connection.Write(request); err != nil {
		return err
	}
	return s.answer()
}

func (s *sender) answer() error {
	line, err := s.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || line[9] != '2' {
		rest, _ := s.in.Peek(s.in.Buffered())
		return fmt.Errorf("%s %s: %s%s", s.target.method, s.target.path, line, rest)
	}
	length, last := 0, false
	for len(line) > 2 {
		if line, err = s.in.ReadSlice('\n'); err != nil {
			return err
		}
		last = last || bytes.EqualFold(line, []byte("connection: close\r\n"))
		if n, found := bytes.CutPrefix(bytes.ToLower(line), []byte("content-length:")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return err
			}
		}
	}
	if _, err = io.CopyN(io.Discard, s.in, int64(length)); err != nil || !last {
		return err
	}
	s.connection.Close()
	return s.connect()
}
