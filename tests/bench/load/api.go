// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// server is what access.json says.
type server struct{ URL, Organization, Token string }

// target is one address and what is sent there.
type target struct {
	host, method, path, lease string
	bare                      bool
}

func (s *server) call(method, path string, body string, reply any) error {
	request, err := http.NewRequest(method, s.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "token "+s.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	if err != nil || reply == nil {
		return err
	}
	return json.Unmarshal(text, reply)
}

// start makes a stack and an update that takes a journal.
func (s *server) start(number int) (t target, err error) {
	var created struct{ UpdateID string }
	var started struct {
		Token          string
		JournalVersion int
	}
	project := "/api/stacks/" + s.Organization + "/bench"
	name := fmt.Sprintf("load-%d-%d", time.Now().UnixNano(), number)
	if err = s.call("POST", project, `{"stackName":"`+name+`"}`, nil); err != nil {
		return t, err
	}
	path := project + "/" + name + "/update"
	if err = s.call("POST", path, "{}", &created); err != nil {
		return t, err
	}
	path += "/" + created.UpdateID
	if err = s.call("POST", path, `{"journalVersion":1}`, &started); err != nil {
		return t, err
	}
	if started.JournalVersion != 1 {
		return t, fmt.Errorf("the server takes no journal")
	}
	address, err := url.Parse(s.URL)
	if err != nil {
		return t, err
	}
	return target{host: address.Host, method: "PATCH", path: address.Path + path, lease: started.Token}, nil
}

func plainTarget(text string, bare bool) (target, error) {
	address, err := url.Parse(text)
	if err != nil {
		return target{}, err
	}
	t := target{host: address.Host, method: "POST", path: address.RequestURI(), bare: bare}
	if bare {
		t.method = "GET"
	}
	return t, nil
}
