// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"math/rand/v2"
)

// plainCase is a journal that arrived in order, in one batch.
func plainCase(base *object, entries []*object) replayCase {
	return replayCase{Base: style{}.print(base), Batches: [][]byte{batchText(style{}, entries)}}
}

func batchText(s style, entries []*object) []byte {
	list := make([]any, len(entries))
	for i := range entries {
		list[i] = entries[i]
	}
	return s.print(&object{[]member{{"entries", list}}})
}

// arrive is what a server gets of a journal: batches of any size, their spelling at random, some twice, those
// of old command lines in any order; and nothing at all from some point on when the client died.
func arrive(rng *rand.Rand, base *object, entries []*object) replayCase {
	c := replayCase{}
	for _, entry := range entries {
		eachEntryResource(entry, func(resource *object) { decorate(rng, resource) })
	}
	if base != nil {
		eachResource(base.child("deployment"), func(resource *object) { decorate(rng, resource) })
		c.Base = randomStyle(rng).print(base)
	}
	if rng.IntN(5) == 0 {
		entries = entries[:rng.IntN(len(entries)+1)]
	}

	batches := split(rng, entries)
	if rng.IntN(4) == 0 {
		batches = singles(rng, entries)
	}
	for i, batch := range batches {
		c.Batches = append(c.Batches, batchText(randomStyle(rng), batch))
		for rng.IntN(8) == 0 { // a retry, whole or in halves, now or late
			again := batches[rng.IntN(i+1)]
			if rng.IntN(2) == 0 {
				again = again[:(len(again)+1)/2]
			}
			c.Batches = append(c.Batches, batchText(randomStyle(rng), again))
		}
	}
	return c
}

func split(rng *rand.Rand, entries []*object) [][]*object {
	most := []int{1, 3, 20, 100}[rng.IntN(4)]
	var batches [][]*object
	for len(entries) > 0 {
		n := min(1+rng.IntN(most), len(entries))
		batches = append(batches, entries[:n])
		entries = entries[n:]
	}
	return batches
}

// singles are one entry a batch, each up to a few places from where it belongs.
func singles(rng *rand.Rand, entries []*object) [][]*object {
	batches := make([][]*object, len(entries))
	for i := range entries {
		batches[i] = entries[i : i+1]
	}
	for i := range batches {
		j := min(len(batches)-1, i+rng.IntN(6))
		batches[i], batches[j] = batches[j], batches[i]
	}
	return batches
}

// decorate adds what a newer command line may send, and what a server must carry along.
func decorate(rng *rand.Rand, resource *object) {
	if rng.IntN(15) == 0 {
		resource.set("fromTheFuture", []any{json.Number("1.00"), &object{[]member{{"dependencies", []any{"x"}}}}})
	}
	if rng.IntN(40) == 0 {
		resource.set("anotherMember", "text")
	}
}
