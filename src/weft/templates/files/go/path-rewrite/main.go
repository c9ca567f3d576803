// An Envoy filter that rewrites the paths of requests by regular expressions.
package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// Envoy calls init when it loads the module, and never calls main.
func main() {}

func init() {
	proxywasm.SetPluginContext(func(uint32) types.PluginContext { return &MyFilterRoot{} })
}

// MyFilterRoot lives as long as one plugin config. Envoy makes a new one when the config changes.
type MyFilterRoot struct {
	types.DefaultPluginContext
	rewrites []rewrite
}

func (root *MyFilterRoot) OnPluginStart(size int) types.OnPluginStartStatus {
	var text []byte
	if size > 0 {
		text, _ = proxywasm.GetPluginConfiguration()
	}
	var err error
	if root.rewrites, err = parse(text); err != nil {
		proxywasm.LogErrorf("config: %v", err)
		return types.OnPluginStartStatusFailed // Envoy refuses the config and keeps the last good one
	}
	return types.OnPluginStartStatusOK
}

func (root *MyFilterRoot) NewHttpContext(uint32) types.HttpContext {
	return &MyFilter{rewrites: root.rewrites}
}

// MyFilter lives as long as one request.
type MyFilter struct {
	types.DefaultHttpContext
	rewrites     []rewrite // shared by all requests
	originalPath string
}

func (filter *MyFilter) OnHttpRequestHeaders(int, bool) types.Action {
	path, err := proxywasm.GetHttpRequestHeader(":path")
	if err != nil {
		return types.ActionContinue
	}
	for _, rewrite := range filter.rewrites {
		if rewrite.customPath != "" && rewrite.pattern.MatchString(path) {
			note(proxywasm.ReplaceHttpRequestHeader(":path", rewrite.customPath))
			note(proxywasm.ReplaceHttpRequestHeader("location", "envoy-wasm"))
			filter.originalPath = path
			break
		}
	}
	return types.ActionContinue
}

func (filter *MyFilter) OnHttpResponseHeaders(int, bool) types.Action {
	if filter.originalPath != "" {
		note(proxywasm.ReplaceHttpResponseHeader("x-original-path", filter.originalPath))
	}
	return types.ActionContinue
}

// note keeps a header that Envoy would not take from failing the request.
func note(err error) {
	if err != nil {
		proxywasm.LogDebugf("header: %v", err)
	}
}

// rewrite is an item of the config; config.schema.json says the same to people and editors.
type rewrite struct {
	pattern    *regexp.Regexp
	customPath string
}

func parse(text []byte) (rewrites []rewrite, err error) {
	keys, err := object(text)
	for key, value := range keys {
		items, isList := value.([]any)
		switch {
		case key != "rewrites":
			return nil, fmt.Errorf("%s is not a known key", key)
		case !isList:
			return nil, errors.New("rewrites must be a list")
		}
		for index, item := range items {
			rewrite, err := parseRewrite(item)
			if err != nil {
				return nil, fmt.Errorf("rewrites[%d]%w", index, err)
			}
			rewrites = append(rewrites, rewrite)
		}
	}
	return rewrites, err
}

func parseRewrite(item any) (rewrite rewrite, err error) {
	keys, isObject := item.(map[string]any)
	if !isObject {
		return rewrite, errors.New(" must be an object")
	}
	for key, value := range keys {
		text, isString := value.(string)
		switch {
		case key != "regex_match" && key != "custom_path":
			return rewrite, fmt.Errorf(".%s is not a known key", key)
		case !isString:
			return rewrite, fmt.Errorf(".%s must be a string", key)
		case key == "custom_path":
			rewrite.customPath = text
		case key == "regex_match":
			if rewrite.pattern, err = whole(text); err != nil {
				return rewrite, fmt.Errorf(".regex_match is not a valid regular expression: %w", err)
			}
		}
	}
	if rewrite.pattern == nil {
		return rewrite, errors.New(".regex_match is missing")
	}
	return rewrite, nil
}

// whole makes a pattern match a whole text or not at all. It must be valid by itself: a)(b is not.
func whole(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}
