// SPDX-License-Identifier: Apache-2.0

// load sends journal batches through the web server, as many stacks at once as asked, each one batch after the
// other, and says how many were acknowledged and how long each took. With -url it sends the same bodies to one
// address instead, with -bare requests without a body.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"sync"
	"time"
)

type options struct {
	access, url             string
	stacks, resources, size int
	count                   int
	seconds                 float64
	bare, all               bool
}

type report struct {
	Stacks     int     `json:"stacks"`
	BatchBytes int     `json:"batch_bytes"`
	TextBytes  int     `json:"text_bytes"`
	Batches    int     `json:"batches"`
	PerSecond  float64 `json:"per_second"`
	Median     float64 `json:"median_ms"`
	P99        float64 `json:"p99_ms"`
	Update     string  `json:"update"`
	Lease      string  `json:"lease"`
}

func parse() (o options) {
	flag.StringVar(&o.access, "access", "", "access.json of the server")
	flag.StringVar(&o.url, "url", "", "send to this address instead")
	flag.IntVar(&o.stacks, "stacks", 16, "stacks at once")
	flag.IntVar(&o.resources, "resources", 10, "resources in a batch")
	flag.IntVar(&o.size, "size", 1000, "bytes of a resource's values, half of them random")
	flag.IntVar(&o.count, "count", 3000, "batches prepared")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long")
	flag.BoolVar(&o.bare, "bare", false, "with -url: GET without a body")
	flag.BoolVar(&o.all, "all", false, "send every batch, however long it takes; the updates stay running")
	flag.Parse()
	return o
}

// targets says where each stack's batches go.
func targets(o options) ([]target, error) {
	if o.url != "" {
		t, err := plainTarget(o.url, o.bare)
		all := make([]target, o.stacks)
		for i := range all {
			all[i] = t
		}
		return all, err
	}
	text, err := os.ReadFile(o.access)
	if err != nil {
		return nil, err
	}
	s := server{}
	if err = json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	all := make([]target, o.stacks)
	for i := range all {
		if all[i], err = s.start(i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// send runs a connection for each target and returns all the times that their batches took.
func send(o options, all []target, made [][]byte) (taken []time.Duration, elapsed time.Duration, err error) {
	senders := make([]*sender, len(all))
	for i, t := range all {
		if senders[i], err = newSender(t, made); err != nil {
			return nil, 0, err
		}
	}
	start := time.Now()
	until := start.Add(time.Duration(o.seconds * float64(time.Second)))
	if o.all {
		until = start.Add(time.Hour)
	}
	var group sync.WaitGroup
	for _, s := range senders {
		group.Add(1)
		go func() { defer group.Done(); s.run(until) }()
	}
	group.Wait()
	elapsed = time.Since(start)
	for _, s := range senders {
		if s.err != nil {
			return nil, 0, s.err
		}
		if !o.all && s.done() {
			return nil, 0, fmt.Errorf("all %d batches were sent before the time was over; give a larger -count", len(made))
		}
		taken = append(taken, s.taken...)
	}
	return taken, elapsed, nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	o := parse()
	made, text := batches(o.count, o.resources, o.size)
	all, err := targets(o)
	if err != nil {
		log.Fatal(err)
	}
	taken, elapsed, err := send(o, all, made)
	if err != nil {
		log.Fatal(err)
	}
	if len(taken) == 0 {
		log.Fatal("nothing was answered in time")
	}
	sort.Slice(taken, func(i, j int) bool { return taken[i] < taken[j] })
	json.NewEncoder(os.Stdout).Encode(report{Stacks: o.stacks, BatchBytes: len(made[0]), TextBytes: text, Batches: len(taken),
		PerSecond: float64(len(taken)) / elapsed.Seconds(), Median: milliseconds(taken[len(taken)/2]),
		P99: milliseconds(taken[len(taken)*99/100]), Update: all[0].path, Lease: all[0].lease})
}
