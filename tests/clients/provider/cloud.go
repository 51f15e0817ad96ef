// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The folder that PULUMI_TESTING_CLOUD names stands for the world outside: one file per thing, named by
// its id, holding its value. A test changes or removes a file to make a refresh find something. Without
// the variable nothing outside exists, and every thing is as it was left.
func cloudPath(id string) string {
	folder := os.Getenv("PULUMI_TESTING_CLOUD")
	if folder == "" || id == "" {
		return ""
	}
	return filepath.Join(folder, filepath.Base(id))
}

func cloudWrite(id, value string) error {
	path := cloudPath(id)
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(value), 0o600)
}

func cloudRead(id, known string) (value string, found bool, err error) {
	path := cloudPath(id)
	if path == "" {
		return known, true, nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(content), err == nil, err
}

func cloudDelete(id string) error {
	path := cloudPath(id)
	if path == "" {
		return nil
	}
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
