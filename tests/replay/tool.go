// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

const endOfCase = 0xFFFFFFFF

// A tool is the server's replay behind a pipe: frames of a case go in, one frame comes out.
type tool struct {
	command *exec.Cmd
	in      *bufio.Writer
	out     *bufio.Reader
}

func startTool(path string) (*tool, error) {
	command := exec.Command(path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the tool %s: %w", path, err)
	}
	return &tool{command, bufio.NewWriterSize(in, 1<<20), bufio.NewReaderSize(out, 1<<20)}, nil
}

// answer is the tool's document, or its refusal; err says that the tool itself broke.
func (t *tool) answer(c replayCase) (document *object, refusal string, err error) {
	if err := t.send(c); err != nil {
		return nil, "", fmt.Errorf("the tool ended while it was told a case: %w", err)
	}
	var length uint32
	if err := binary.Read(t.out, binary.BigEndian, &length); err != nil {
		return nil, "", fmt.Errorf("the tool ended instead of answering: %w", err)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(t.out, text); err != nil {
		return nil, "", fmt.Errorf("the tool ended in its answer: %w", err)
	}
	if len(text) > 0 && text[0] == '!' {
		return nil, string(text[1:]), nil
	}
	tree, err := parse(text)
	if err != nil {
		return nil, "", fmt.Errorf("the tool's answer is no JSON: %w: %.300s", err, text)
	}
	document, isObject := tree.(*object)
	if !isObject {
		return nil, "", errors.New("the tool's answer is no object")
	}
	return document, "", nil
}

func (t *tool) send(c replayCase) error {
	for _, frame := range append([][]byte{c.Base}, c.Batches...) {
		if err := binary.Write(t.in, binary.BigEndian, uint32(len(frame))); err != nil {
			return err
		}
		if _, err := t.in.Write(frame); err != nil {
			return err
		}
	}
	if err := binary.Write(t.in, binary.BigEndian, uint32(endOfCase)); err != nil {
		return err
	}
	return t.in.Flush()
}

func (t *tool) stop() {
	_ = t.command.Process.Kill()
	_ = t.command.Wait()
}
