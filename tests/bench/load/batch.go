// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"sync"
)

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

// resource has values of that many bytes: half of them repeat, half of them do not and hardly compress.
func resource(index, size int) map[string]any {
	random := rand.New(rand.NewSource(int64(index)))
	value := make([]byte, size/2)
	for i := range value {
		value[i] = letters[random.Intn(len(letters))]
	}
	return map[string]any{
		"urn":  fmt.Sprintf("urn:pulumi:load::bench::test:index:Thing::thing-%d", index),
		"type": "test:index:Thing", "custom": true, "id": fmt.Sprintf("id-%d", index),
		"inputs":  map[string]any{"value": string(value)},
		"outputs": map[string]any{"text": strings.Repeat("the same words again ", size)[:size/2]},
	}
}

func entry(kind, sequence, operation int) map[string]any {
	return map[string]any{"version": 1, "kind": kind, "sequenceID": sequence, "operationID": operation, "removeOld": nil,
		"removeNew": nil}
}

// batch creates resources: a begin and a success for each, as the command line sends them.
func batch(number, resources, size int) []byte {
	var entries []map[string]any
	for r := 0; r < resources; r++ {
		operation := number*resources + r + 1
		state := resource(operation, size)
		begin, success := entry(0, 2*operation-1, operation), entry(1, 2*operation, operation)
		begin["operation"] = map[string]any{"type": "creating", "resource": state}
		success["state"] = state
		entries = append(entries, begin, success)
	}
	text, _ := json.Marshal(map[string]any{"entries": entries})
	return text
}

func pack(text []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(text)
	w.Close()
	return out.Bytes()
}

// batches are made before the clock starts; also returns the length of one before compression.
func batches(count, resources, size int) ([][]byte, int) {
	made := make([][]byte, count)
	var group sync.WaitGroup
	for worker := range runtime.NumCPU() {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := worker; i < count; i += runtime.NumCPU() {
				made[i] = pack(batch(i, resources, size))
			}
		}()
	}
	group.Wait()
	return made, len(batch(0, resources, size))
}
