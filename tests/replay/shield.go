// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// The command line reads property values as float64 and drops members that it does not know; a server must
// keep both as they are. So before the library sees a document, numbers in properties become marked
// strings and unknown members of a resource become marked outputs, and afterwards the way back is taken.

const (
	numberMark  = "\u0001number:"
	unknownMark = "\u0001unknown:"
)

var resourceMembers = membersOf(reflect.TypeFor[apitype.ResourceV3]())

func membersOf(kind reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

// eachResource calls the visitor with every resource of a deployment.
func eachResource(deployment *object, visit func(*object)) {
	if deployment == nil {
		return
	}
	for _, resource := range deployment.list("resources") {
		visit(resource.(*object))
	}
	for _, operation := range deployment.list("pending_operations") {
		if resource := operation.(*object).child("resource"); resource != nil {
			visit(resource)
		}
	}
}

// eachEntryResource calls the visitor with every resource that a journal entry holds.
func eachEntryResource(entry *object, visit func(*object)) {
	if state := entry.child("state"); state != nil {
		visit(state)
	}
	if operation := entry.child("operation"); operation != nil && operation.child("resource") != nil {
		visit(operation.child("resource"))
	}
	eachResource(entry.child("newSnapshot"), visit)
}

func shield(resource *object) {
	var known, unknown []member
	for _, m := range resource.members {
		if !resourceMembers[m.name] {
			unknown = append(unknown, member{unknownMark + m.name, string(style{}.print(m.value))})
			continue
		}
		switch m.name {
		case "inputs", "outputs", "replacementTrigger":
			m.value = shieldNumbers(m.value)
		}
		known = append(known, m)
	}
	resource.members = known
	if len(unknown) == 0 {
		return
	}
	outputs := resource.child("outputs")
	if outputs == nil {
		outputs = &object{}
		resource.set("outputs", outputs)
	}
	outputs.members = append(outputs.members, unknown...)
}

func shieldNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return numberMark + string(v)
	case []any:
		for i := range v {
			v[i] = shieldNumbers(v[i])
		}
	case *object:
		for i := range v.members {
			v.members[i].value = shieldNumbers(v.members[i].value)
		}
	}
	return value
}

func unshield(resource *object) {
	for i := range resource.members {
		resource.members[i].value = unshieldNumbers(resource.members[i].value)
	}
	outputs := resource.child("outputs")
	if outputs == nil {
		return
	}
	var kept []member
	for _, m := range outputs.members {
		name, marked := strings.CutPrefix(m.name, unknownMark)
		if !marked {
			kept = append(kept, m)
			continue
		}
		value, err := parse([]byte(m.value.(string)))
		if err != nil {
			panic(err)
		}
		resource.set(name, value)
	}
	outputs.members = kept
}

func unshieldNumbers(value any) any {
	switch v := value.(type) {
	case string:
		if number, marked := strings.CutPrefix(v, numberMark); marked {
			return json.Number(number)
		}
	case []any:
		for i := range v {
			v[i] = unshieldNumbers(v[i])
		}
	case *object:
		for i := range v.members {
			v.members[i].value = unshieldNumbers(v.members[i].value)
		}
	}
	return value
}
