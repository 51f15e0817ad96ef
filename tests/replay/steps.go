// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

// begin starts a step of a random sort, as the engine's steps write themselves down.
func (j *freeJournal) begin() {
	t := j.target()
	sort := j.rng.IntN(11)
	if t == nil {
		sort = 0
	}
	switch sort {
	case 0, 1:
		state := j.state(j.states())
		j.start("creating", &state, false, func(e *apitype.JournalEntry) { j.lives(e, state) })
	case 2:
		j.replacement(t)
	case 3:
		state := j.changed(t)
		j.start("updating", &state, false, func(e *apitype.JournalEntry) { j.lives(e, state); j.removes(e, t) })
	case 4:
		j.start("deleting", &t.state, false, func(e *apitype.JournalEntry) { j.deletes(e, t) })
	case 5:
		state := j.changed(t)
		j.start("reading", &state, false, func(e *apitype.JournalEntry) { j.lives(e, state); j.removes(e, t) })
	case 6:
		j.refresh(t)
	case 7:
		j.start("", nil, true, func(e *apitype.JournalEntry) { j.persistedRefresh(e, t) })
	case 8:
		state := j.changed(t)
		j.start("importing", &state, false, func(e *apitype.JournalEntry) {
			j.lives(e, state)
			e.DeleteOld, e.DeleteNew = t.old, t.new
		})
	case 9:
		j.start("", nil, false, func(e *apitype.JournalEntry) { // a create that is skipped, or a removal of a mark
			if j.chance(50) {
				j.removes(e, t)
			}
		})
	default:
		j.start("", nil, false, func(e *apitype.JournalEntry) { j.lives(e, j.changed(t)); j.removes(e, t) })
	}
}

func (j *freeJournal) start(kind string, state *apitype.ResourceV3, refresh bool, end func(*apitype.JournalEntry)) {
	entry := apitype.JournalEntry{Kind: apitype.JournalEntryKindBegin, OperationID: j.next()}
	if state != nil {
		entry.Operation = &apitype.OperationV2{Resource: *state, Type: apitype.OperationType(kind)}
	}
	j.add(entry)
	j.open = append(j.open, openStep{entry.OperationID, refresh, end})
}

// changed is the target's state after a step on it: mostly as it was, sometimes under another name.
func (j *freeJournal) changed(t *target) apitype.ResourceV3 {
	state := copyOf(t.state)
	state.Delete, state.PendingReplacement = false, false
	if j.chance(30) {
		state.Outputs = j.properties(3)
	}
	if j.chance(20) {
		j.refer(&state, urns(j.states()))
	}
	if j.chance(20) {
		state = j.renamed(state)
	}
	return state
}

func (j *freeJournal) removes(e *apitype.JournalEntry, t *target) {
	e.RemoveOld, e.RemoveNew = t.old, t.new
	t.gone = true
}

// A resource that waits for its replacement is marked by its deletion and stays.
func (j *freeJournal) deletes(e *apitype.JournalEntry, t *target) {
	if t.state.PendingReplacement || j.chance(20) {
		e.PendingReplacementOld, e.PendingReplacementNew = t.old, t.new
		t.state.PendingReplacement = true
		return
	}
	j.removes(e, t)
}

func (j *freeJournal) replacement(t *target) {
	state := j.changed(t)
	j.start("creating", &state, false, func(e *apitype.JournalEntry) {
		j.lives(e, state)
		if t.state.PendingReplacement {
			j.removes(e, t)
			return
		}
		e.DeleteOld, e.DeleteNew = t.old, t.new
		t.state.Delete = true
	})
}

// refresh works in place: the state is replaced where it stands, or is gone.
func (j *freeJournal) refresh(t *target) {
	j.start("", nil, true, func(e *apitype.JournalEntry) {
		e.Kind = apitype.JournalEntryKindRefreshSuccess
		e.RemoveOld, e.RemoveNew = t.old, t.new
		if j.chance(30) {
			t.gone = true
			return
		}
		state := j.changed(t)
		t.state = state
		e.State = &state
	})
}

func (j *freeJournal) persistedRefresh(e *apitype.JournalEntry, t *target) {
	if j.chance(70) {
		j.lives(e, j.changed(t))
	}
	j.removes(e, t)
}
