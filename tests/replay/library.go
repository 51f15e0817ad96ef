// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack/snapshot"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// A replayCase is what a server has got: the base document (empty: none) and the batches as they arrived.
type replayCase struct {
	Name    string
	Base    []byte
	Batches [][]byte
}

// A verdict is what the command line's own code makes of a case.
type verdict struct {
	document  *object // nil when it refuses
	refusal   error   // it refuses the journal
	undefined string  // it crashes: nothing to compare with, but a server must not
}

// library replays a case with the command line's replayer.
func library(c replayCase) (v verdict, err error) {
	base, err := libraryBase(c.Base)
	if err != nil {
		return v, fmt.Errorf("the base: %w", err)
	}
	entries, err := libraryEntries(c.Batches)
	if err != nil {
		return v, fmt.Errorf("the journal: %w", err)
	}

	defer func() {
		if crash := recover(); crash != nil {
			v = verdict{undefined: fmt.Sprint(crash)}
		}
	}()
	deployment, refusal := replay(base, entries)
	if refusal != nil {
		return verdict{refusal: refusal}, nil
	}
	return verdict{document: documentOf(deployment)}, nil
}

func replay(base *apitype.DeploymentV3, entries []apitype.JournalEntry) (*apitype.TypedDeployment, error) {
	replayer := backend.NewJournalReplayer(base)
	seen := references{known: map[int64]bool{}}
	for _, entry := range entries {
		if seen.dangle(entry) {
			panic("an entry refers to an operation that made no resource")
		}
		if err := replayer.Add(entry); err != nil {
			return nil, err
		}
	}
	deployment, err := replayer.GenerateDeployment()
	if err != nil {
		return nil, err
	}
	// As the command line does before it saves what it has replayed.
	deployment.Deployment.Metadata.IntegrityErrorMetadata = nil
	if broken := snapshot.VerifyIntegrity(deployment.Deployment); broken != nil {
		deployment.Deployment.Metadata.IntegrityErrorMetadata = &apitype.SnapshotIntegrityErrorMetadataV1{
			Error: broken.Error(),
		}
	}
	return &deployment, nil
}

// references knows the new resources that an entry may refer to.
type references struct {
	known   map[int64]bool
	shifted bool
}

// dangle says whether the entry refers to a new resource that there is not, or that the command line's code
// no longer finds: after a rebuilt base state it goes on counting where it was, so that with new resources
// before it every later index is wrong. The code then takes another resource or crashes; an engine never asks
// for either.
func (r *references) dangle(entry apitype.JournalEntry) bool {
	switch entry.Kind {
	case apitype.JournalEntryKindFailure:
		return false
	case apitype.JournalEntryKindRebuiltBaseState:
		r.shifted = r.shifted || len(r.known) > 0
		clear(r.known)
	case apitype.JournalEntryKindSuccess:
		if entry.State != nil {
			r.known[entry.OperationID] = true
		}
	}
	for _, operation := range []*int64{entry.RemoveNew, entry.DeleteNew, entry.PendingReplacementNew} {
		if operation != nil && (r.shifted || !r.known[*operation]) {
			return true
		}
	}
	return false
}

func documentOf(deployment *apitype.TypedDeployment) *object {
	document := treeOf(deployment).(*object)
	eachResource(document.child("deployment"), unshield)
	return document
}

func libraryBase(text []byte) (*apitype.DeploymentV3, error) {
	base := &apitype.DeploymentV3{}
	if len(text) == 0 {
		return base, nil
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	deployment := tree.(*object).child("deployment")
	eachResource(deployment, shield)
	return base, json.Unmarshal(style{}.print(deployment), base)
}

// libraryEntries are the journal's entries as they count: the first of each sequence number, in order.
func libraryEntries(batches [][]byte) ([]apitype.JournalEntry, error) {
	trees, err := entryTrees(batches)
	if err != nil {
		return nil, err
	}
	var entries []apitype.JournalEntry
	seen := map[int64]bool{}
	for _, tree := range trees {
		eachEntryResource(tree, shield)
		var entry apitype.JournalEntry
		if err := json.Unmarshal(style{}.print(tree), &entry); err != nil {
			return nil, err
		}
		if !seen[entry.SequenceID] {
			seen[entry.SequenceID] = true
			entries = append(entries, entry)
		}
	}
	slices.SortFunc(entries, func(a, b apitype.JournalEntry) int { return int(a.SequenceID - b.SequenceID) })
	return entries, nil
}

func entryTrees(batches [][]byte) ([]*object, error) {
	var trees []*object
	for _, batch := range batches {
		tree, err := parse(batch)
		if err != nil {
			return nil, err
		}
		for _, entry := range tree.(*object).list("entries") {
			trees = append(trees, entry.(*object))
		}
	}
	return trees, nil
}
