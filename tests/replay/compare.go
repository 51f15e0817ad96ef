// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// difference is the first place where two documents say different things: its path and both sides. Order of
// members, white space and absent against empty optional members say nothing.
func difference(want, got *object, integrity bool) string {
	if problem := manifestProblem(got); problem != "" {
		return problem
	}
	for _, document := range []*object{want, got} {
		normalize(document, integrity)
	}
	return differs("$", want, got)
}

// manifestProblem checks what a server writes itself, where no equality can be asked for.
func manifestProblem(document *object) string {
	manifest := &object{}
	if deployment := document.child("deployment"); deployment != nil && deployment.child("manifest") != nil {
		manifest = deployment.child("manifest")
	}
	version, _ := manifest.get("version")
	magic, _ := manifest.get("magic")
	text, _ := version.(string)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	if text == "" {
		sum = ""
	}
	if magic != sum {
		return fmt.Sprintf("$.deployment.manifest.magic: want the SHA-256 of version %q, got %v", text, magic)
	}
	written, _ := manifest.get("time")
	text, _ = written.(string)
	if parsed, err := time.Parse(time.RFC3339Nano, text); err != nil || parsed.Format(time.RFC3339Nano) != text {
		return fmt.Sprintf("$.deployment.manifest.time: %v is not as the command line would write it", written)
	}
	if _, has := manifest.get("plugins"); has {
		return "$.deployment.manifest.plugins: want none"
	}
	return ""
}

func normalize(document *object, integrity bool) {
	dropEmpty(document, "features")
	deployment := document.child("deployment")
	if deployment == nil {
		return
	}
	deployment.remove("manifest")
	eachResource(deployment, func(resource *object) {
		for name := range resourceMembers {
			if name != "urn" && name != "type" && name != "custom" {
				dropEmpty(resource, name)
			}
		}
	})
	if metadata := deployment.child("metadata"); metadata != nil {
		normalizeIntegrity(metadata, integrity)
	}
	if provider := deployment.child("secrets_providers"); provider != nil {
		dropEmpty(provider, "state")
	}
	for _, snippet := range deployment.list("snippets") {
		dropEmpty(snippet.(*object), "references")
	}
	sortOperations(deployment)
	for _, name := range []string{"secrets_providers", "resources", "pending_operations", "metadata", "snippets", "extensions"} {
		dropEmpty(deployment, name)
	}
}

// The words about a broken document are a server's own; that they are there is not.
func normalizeIntegrity(metadata *object, compared bool) {
	if _, has := metadata.get("integrity_error"); !has {
		return
	}
	metadata.remove("integrity_error")
	if compared {
		metadata.set("integrity_error", "present")
	}
}

// The command line keeps open operations in a map, so their order means nothing.
func sortOperations(deployment *object) {
	operations := deployment.list("pending_operations")
	slices.SortFunc(operations, func(a, b any) int { return strings.Compare(canonical(a), canonical(b)) })
}

func canonical(value any) string {
	switch v := value.(type) {
	case *object:
		members := slices.Clone(v.members)
		slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
		var out strings.Builder
		for _, m := range members {
			fmt.Fprintf(&out, "%q:%s,", m.name, canonical(m.value))
		}
		return "{" + out.String() + "}"
	case []any:
		var out strings.Builder
		for _, element := range v {
			out.WriteString(canonical(element) + ",")
		}
		return "[" + out.String() + "]"
	}
	return string(style{}.print(value))
}

func dropEmpty(o *object, name string) {
	value, has := o.get(name)
	if !has {
		return
	}
	empty := value == nil || value == false || value == ""
	switch v := value.(type) {
	case []any:
		empty = len(v) == 0
	case *object:
		empty = len(v.members) == 0
	}
	if empty {
		o.remove(name)
	}
}

func differs(path string, want, got any) string {
	switch w := want.(type) {
	case *object:
		if g, same := got.(*object); same {
			return objectDiffers(path, w, g)
		}
	case []any:
		if g, same := got.([]any); same {
			return listDiffers(path, w, g)
		}
	case json.Number:
		if g, same := got.(json.Number); same && w == g {
			return ""
		}
	default:
		if scalar(got) && want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: want %s, got %s", path, short(want), short(got))
}

func scalar(value any) bool {
	switch value.(type) {
	case *object, []any:
		return false
	}
	return true
}

func objectDiffers(path string, want, got *object) string {
	for _, m := range want.members {
		value, has := got.get(m.name)
		inner := path + "." + m.name
		if !has {
			return fmt.Sprintf("%s: want %s, got nothing", inner, short(m.value))
		}
		if found := differs(inner, m.value, value); found != "" {
			return found
		}
	}
	for _, m := range got.members {
		if _, has := want.get(m.name); !has {
			return fmt.Sprintf("%s.%s: want nothing, got %s", path, m.name, short(m.value))
		}
	}
	if len(want.members) != len(got.members) {
		return path + ": a member occurs twice"
	}
	return ""
}

func listDiffers(path string, want, got []any) string {
	for i := range min(len(want), len(got)) {
		if found := differs(fmt.Sprintf("%s[%d]", path, i), want[i], got[i]); found != "" {
			return found
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%s: want %d elements, got %d", path, len(want), len(got))
	}
	return ""
}

func short(value any) string {
	text := string(style{}.print(value))
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return text
}
