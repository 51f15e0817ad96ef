// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"unicode/utf16"
	"unicode/utf8"
)

// A tree is JSON as it was written: members in their order and numbers as text. Its nodes are *object,
// []any, string, json.Number, bool and nil.

type member struct {
	name  string
	value any
}

type object struct{ members []member }

func (o *object) get(name string) (any, bool) {
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].value, true
		}
	}
	return nil, false
}

func (o *object) set(name string, value any) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{name, value})
}

func (o *object) remove(name string) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members = append(o.members[:i:i], o.members[i+1:]...)
			return
		}
	}
}

// child is the member as an object, or nil.
func (o *object) child(name string) *object {
	value, _ := o.get(name)
	inner, _ := value.(*object)
	return inner
}

// list is the member as an array, or nil.
func (o *object) list(name string) []any {
	value, _ := o.get(name)
	inner, _ := value.([]any)
	return inner
}

func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder)
	if err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("text after the value at byte %d", decoder.InputOffset())
	}
	return value, nil
}

func parseValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(decoder)
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.Token()
		return list, err
	}
	return token, nil
}

func parseObject(decoder *json.Decoder) (any, error) {
	o := &object{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(decoder)
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{name.(string), value})
	}
	_, err := decoder.Token()
	return o, err
}

// treeOf is the tree of a Go value as the command line would send it.
func treeOf(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	tree, err := parse(text)
	if err != nil {
		panic(err)
	}
	return tree
}

// A style is a way of spelling the same JSON: order of members, white space, escapes.
type style struct {
	rng     *rand.Rand // nil: compact, in order, with the escapes that are needed
	shuffle bool
	spaces  bool
	escapes bool
}

func randomStyle(rng *rand.Rand) style {
	if rng.IntN(3) == 0 {
		return style{}
	}
	return style{rng: rng, shuffle: rng.IntN(3) == 0, spaces: rng.IntN(3) == 0, escapes: rng.IntN(2) == 0}
}

func (s style) print(value any) []byte {
	var out bytes.Buffer
	s.write(&out, value)
	return out.Bytes()
}

func (s style) write(out *bytes.Buffer, value any) {
	s.space(out)
	switch v := value.(type) {
	case *object:
		s.writeObject(out, v)
	case []any:
		out.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			s.write(out, element)
		}
		s.space(out)
		out.WriteByte(']')
	case string:
		s.writeString(out, v)
	case json.Number:
		out.WriteString(string(v))
	case bool:
		fmt.Fprint(out, v)
	case nil:
		out.WriteString("null")
	default:
		panic(fmt.Sprintf("no JSON: %T", value))
	}
	s.space(out)
}

func (s style) writeObject(out *bytes.Buffer, o *object) {
	order := make([]int, len(o.members))
	for i := range order {
		order[i] = i
	}
	if s.shuffle {
		s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	out.WriteByte('{')
	for n, i := range order {
		if n > 0 {
			out.WriteByte(',')
		}
		s.space(out)
		s.writeString(out, o.members[i].name)
		s.space(out)
		out.WriteByte(':')
		s.write(out, o.members[i].value)
	}
	out.WriteByte('}')
}

func (s style) space(out *bytes.Buffer) {
	if s.spaces && s.rng.IntN(4) == 0 {
		out.WriteString([]string{" ", "\n", "\t", "\r\n", "  "}[s.rng.IntN(5)])
	}
}

func (s style) writeString(out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			out.WriteString(`\ufffd`)
		case s.escapes && s.rng.IntN(12) == 0:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(out, []string{`\u%04x`, `\u%04X`}[s.rng.IntN(2)], unit)
			}
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '/' && s.escapes && s.rng.IntN(2) == 0:
			out.WriteString(`\/`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x20:
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}
