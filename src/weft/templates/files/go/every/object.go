package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// object reads the outer shape of every config: nothing at all, or one JSON object.
func object(text []byte) (map[string]any, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	keys, isObject := value.(map[string]any)
	if !isObject {
		return nil, errors.New("must be an object")
	}
	return keys, nil
}
