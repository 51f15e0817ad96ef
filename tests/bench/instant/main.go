// SPDX-License-Identifier: Apache-2.0

// instant answers the command line at once and keeps nothing: the limit that no server of this protocol can
// beat. The state that a destroy starts from is a document that was given beforehand:
//
//	PUT /state/{org}/{project}/{stack}    what an export answers while the last update is no "update"
//
// or -state FILE, the same for every other stack.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

const (
	empty = `{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""}}}`
	user  = `{"id":"1","githubLogin":"bench","name":"bench","email":"bench@example.com","avatarUrl":"","identities":[],` +
		`"organizations":[{"githubLogin":"%[1]s","name":"%[1]s","avatarUrl":""}]}`
	capabilities = `{"capabilities":[{"capability":"batch-encrypt"},` +
		`{"capability":"delta-checkpoint-uploads-v2","version":2,"configuration":{"checkpointCutoffSizeBytes":1048576}},` +
		`{"capability":"deployment-schema-version","version":1,"configuration":{"version":4}}]}`
	updateID = "01900000-0000-7000-8000-000000000001"
)

// server has what was given beforehand and the kind of each stack's last update; guarded by mutex.
type server struct {
	organization string
	empty        []byte
	other        []byte
	mutex        sync.Mutex
	states       map[string][]byte
	kinds        map[string]string
}

func packed(text []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(text)
	w.Close()
	return out.Bytes()
}

func (s *server) export(stack string) []byte {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.kinds[stack] == "update" {
		return s.empty
	}
	if state, found := s.states[stack]; found {
		return state
	}
	return s.other
}

func (s *server) begin(stack, kind string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.kinds[stack] = kind
	return `{"updateID":"` + updateID + `"}`
}

func (s *server) keep(stack string, text []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.states[stack] = packed(text)
}

// stackCall answers below /api/stacks/{org}/{project}/{stack}; rest is what follows the stack's name.
func (s *server) stackCall(w http.ResponseWriter, method string, stack, rest []string) string {
	name := strings.Join(stack, "/")
	switch {
	case method == "GET" && len(rest) == 0:
		return fmt.Sprintf(`{"id":"1","orgName":"%s","projectName":"%s","stackName":"%s","activeUpdate":"","tags":{},"version":1}`,
			stack[0], stack[1], stack[2])
	case method == "GET" && rest[0] == "export":
		w.Header().Set("Content-Encoding", "gzip")
		return string(s.export(name))
	case method == "POST" && len(rest) == 1:
		return s.begin(name, rest[0])
	case method == "POST" && len(rest) == 2:
		return `{"version":2,"token":"lease","journalVersion":1}`
	case method == "POST" && rest[2] == "renew_lease":
		return `{"token":"lease"}`
	}
	return "{}"
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, body []byte) string {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/api/user":
		return fmt.Sprintf(user, s.organization)
	case r.URL.Path == "/api/capabilities":
		return capabilities
	case r.URL.Path == "/api/user/organizations/default":
		return `{"gitHubLogin":"` + s.organization + `","messages":[]}`
	case len(part) == 4 && part[0] == "state":
		s.keep(strings.Join(part[1:], "/"), body)
	case len(part) >= 5 && part[1] == "stacks":
		return s.stackCall(w, r.Method, part[2:5], part[5:])
	}
	return "{}"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, s.answer(w, r, body))
}

// newServer reads the state of all stacks that are given none of their own; without a file they are empty.
func newServer(organization, file string) (*server, error) {
	s := &server{organization: organization, empty: packed([]byte(empty)), states: map[string][]byte{}, kinds: map[string]string{}}
	s.other = s.empty
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	s.other = packed(text)
	return s, err
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen; the first line of output says which port was taken")
	organization := flag.String("organization", "acme", "the one organization")
	file := flag.String("state", "", "file with the state of every stack that was given none")
	flag.Parse()
	s, err := newServer(*organization, *file)
	if err != nil {
		log.Fatal("instant: ", err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal("instant: ", err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, s))
}
