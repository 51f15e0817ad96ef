// SPDX-License-Identifier: Apache-2.0

// load sends journal batches through the web server, as many stacks at once as asked, each one batch
// after the other, and says how many were acknowledged.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type access struct{ URL, Organization, Token string }

type client struct {
	access access
	http   *http.Client
}

func (c *client) call(method, path, auth string, body []byte, packed bool, reply any) error {
	request, err := http.NewRequest(method, c.access.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", auth)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept-Encoding", "gzip")
	if packed {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.http.Do(request)
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

// resource is about as large as asked: half of it repeats, half of it does not.
func resource(random *rand.Rand, index, size int) map[string]any {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	value := make([]byte, size/2)
	for i := range value {
		value[i] = letters[random.Intn(len(letters))]
	}
	return map[string]any{
		"urn":  fmt.Sprintf("urn:pulumi:load::bench::test:index:Thing::thing-%d", index),
		"type": "test:index:Thing", "custom": true, "id": fmt.Sprintf("id-%d", index),
		"inputs":  map[string]any{"value": string(value)},
		"outputs": map[string]any{"text": strings.Repeat("the same words again ", size/2/21)},
	}
}

func pack(entries []any) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	json.NewEncoder(w).Encode(map[string]any{"entries": entries})
	w.Close()
	return out.Bytes()
}

// batches are made before the clock starts.
func batches(count, resources, size int, seed int64) [][]byte {
	random := rand.New(rand.NewSource(seed))
	sequence, operation := 0, 0
	var all [][]byte
	for b := 0; b < count; b++ {
		var entries []any
		for r := 0; r < resources; r++ {
			state := resource(random, operation, size)
			operation++
			for kind := 0; kind < 2; kind++ {
				sequence++
				entry := map[string]any{"version": 1, "kind": kind, "sequenceID": sequence, "operationID": operation,
					"removeOld": nil, "removeNew": nil}
				if kind == 0 {
					entry["operation"] = map[string]any{"type": "creating", "resource": state}
				} else {
					entry["state"] = state
				}
				entries = append(entries, entry)
			}
		}
		all = append(all, pack(entries))
	}
	return all
}

type result struct {
	taken            []time.Duration
	complete, export time.Duration
	err              error
}

var finish = flag.Bool("complete", false, "complete each update and export its state")

func run(c *client, index int, until time.Time, made [][]byte) (r result) {
	token := "token " + c.access.Token
	project := "/api/stacks/" + c.access.Organization + "/bench"
	name := fmt.Sprintf("load-%d-%d", time.Now().UnixNano(), index)
	stack := project + "/" + name
	body, _ := json.Marshal(map[string]any{"stackName": name})
	if r.err = c.call("POST", project, token, body, false, nil); r.err != nil {
		return
	}
	var created struct{ UpdateID string }
	if r.err = c.call("POST", stack+"/update", token, []byte("{}"), false, &created); r.err != nil {
		return
	}
	update := stack + "/update/" + created.UpdateID
	var started struct{ Token string }
	if r.err = c.call("POST", update, token, []byte(`{"journalVersion":1}`), false, &started); r.err != nil {
		return
	}
	lease := "update-token " + started.Token
	for i := 0; i < len(made) && time.Now().Before(until); i++ {
		start := time.Now()
		if r.err = c.call("PATCH", update+"/journalentries", lease, made[i], true, nil); r.err != nil {
			return
		}
		r.taken = append(r.taken, time.Since(start))
	}
	if *finish {
		r.err = end(c, update, stack, token, lease, &r)
	}
	return r
}

// end completes the update and exports its state.
func end(c *client, update, stack, token, lease string, r *result) error {
	start := time.Now()
	if err := c.call("POST", update+"/complete", lease, []byte(`{"status":"succeeded"}`), false, nil); err != nil {
		return err
	}
	r.complete = time.Since(start)
	start = time.Now()
	if err := c.call("GET", stack+"/export", token, nil, false, nil); err != nil {
		return err
	}
	r.export = time.Since(start)
	return nil
}

func main() {
	file := flag.String("access", "", "access.json of the server")
	stacks := flag.Int("stacks", 16, "stacks at once")
	seconds := flag.Float64("seconds", 10, "how long")
	resources := flag.Int("resources", 10, "resources in a batch")
	size := flag.Int("size", 1200, "bytes of a resource")
	count := flag.Int("count", 2000, "batches prepared, at most that many are sent for each stack")
	flag.Parse()
	text, err := os.ReadFile(*file)
	c := &client{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *stacks, DisableCompression: true}}}
	if err == nil {
		err = json.Unmarshal(text, &c.access)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	made := batches(*count, *resources, *size, 1)
	results := make([]result, *stacks)
	var group sync.WaitGroup
	start := time.Now()
	until := start.Add(time.Duration(*seconds * float64(time.Second)))
	for i := range results {
		group.Add(1)
		go func() { defer group.Done(); results[i] = run(c, i, until, made) }()
	}
	group.Wait()
	var all []time.Duration
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintln(os.Stderr, "load:", r.err)
			os.Exit(1)
		}
		all = append(all, r.taken...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	if *finish {
		fmt.Printf("{\"complete_ms\":%.1f,\"export_ms\":%.1f}\n", results[0].complete.Seconds()*1000, results[0].export.Seconds()*1000)
	}
	fmt.Printf("{\"stacks\":%d,\"batch_bytes\":%d,\"batches\":%d,\"per_second\":%.0f,\"median_ms\":%.3f,\"p99_ms\":%.3f}\n", *stacks,
		len(made[0]), len(all), float64(len(all))/time.Since(start).Seconds(), all[len(all)/2].Seconds()*1000,
		all[len(all)*99/100].Seconds()*1000)
}
