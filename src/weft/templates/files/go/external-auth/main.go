// An Envoy filter that asks an authorization service about every request, and fails closed.
package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

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
	config config
}

func (root *MyFilterRoot) OnPluginStart(size int) types.OnPluginStartStatus {
	var text []byte
	if size > 0 {
		text, _ = proxywasm.GetPluginConfiguration()
	}
	var err error
	if root.config, err = parse(text); err != nil {
		proxywasm.LogErrorf("config: %v", err)
		return types.OnPluginStartStatusFailed // Envoy refuses the config and keeps the last good one
	}
	return types.OnPluginStartStatusOK
}

func (root *MyFilterRoot) NewHttpContext(uint32) types.HttpContext {
	return &MyFilter{config: &root.config}
}

// MyFilter lives as long as one request.
type MyFilter struct {
	types.DefaultHttpContext
	config  *config // shared by all requests
	allowed bool
}

func (filter *MyFilter) OnHttpRequestHeaders(int, bool) types.Action {
	if err := filter.ask(); err != nil {
		proxywasm.LogDebugf("not asked: %v", err)
		refuse()
	}
	return types.ActionPause // until the answer is here
}

func (filter *MyFilter) OnHttpResponseHeaders(int, bool) types.Action {
	if filter.allowed {
		if err := proxywasm.ReplaceHttpResponseHeader("x-ext-auth", "allowed"); err != nil {
			proxywasm.LogDebugf("header not set: %v", err)
		}
	}
	return types.ActionContinue
}

// ask sends the question; the answer arrives in answered.
func (filter *MyFilter) ask() error {
	path, err := proxywasm.GetHttpRequestHeader(":path")
	if err != nil {
		return err
	}
	headers := [][2]string{
		{":method", "GET"},
		{":path", filter.config.path},
		{":authority", filter.config.authority},
		{"x-original-path", path},
	}
	authorization, err := proxywasm.GetHttpRequestHeader("authorization")
	if err == nil {
		headers = append(headers, [2]string{"authorization", authorization})
	}
	_, err = proxywasm.DispatchHttpCall(
		filter.config.cluster, headers, nil, nil, filter.config.timeout, filter.answered)
	return err
}

func (filter *MyFilter) answered(_, _, _ int) {
	filter.allowed = answer() == "200"
	if !filter.allowed {
		refuse()
	} else if err := proxywasm.ResumeHttpRequest(); err != nil {
		proxywasm.LogErrorf("request not resumed: %v", err)
	}
}

// answer is the status that came back; empty when the call failed or took too long.
func answer() string {
	headers, _ := proxywasm.GetHttpCallResponseHeaders()
	for _, header := range headers {
		if header[0] == ":status" {
			return header[1]
		}
	}
	return ""
}

func refuse() {
	if err := proxywasm.SendHttpResponse(403, nil, []byte("not authorized\n"), -1); err != nil {
		proxywasm.LogErrorf("request not refused: %v", err)
	}
}

// config is what the filter is told; config.schema.json says the same to people and editors.
type config struct {
	cluster, authority, path string
	timeout                  uint32 // milliseconds
}

func parse(text []byte) (config, error) {
	config := config{cluster: "auth-cluster", authority: "auth", path: "/", timeout: 1000}
	texts := map[string]*string{
		"cluster": &config.cluster, "authority": &config.authority, "path": &config.path,
	}
	keys, err := object(text)
	for key, value := range keys {
		if key == "timeout_ms" {
			number, _ := value.(float64)
			if number < 1 || number > math.MaxUint32 || number != math.Trunc(number) {
				return config, errors.New("timeout_ms must be a whole number from 1 to 4294967295")
			}
			config.timeout = uint32(number)
			continue
		}
		text, isString := value.(string)
		switch {
		case texts[key] == nil:
			return config, fmt.Errorf("%s is not a known key", key)
		case !isString:
			return config, fmt.Errorf("%s must be a string", key)
		case key == "path" && !strings.HasPrefix(text, "/"):
			return config, errors.New("path must start with /")
		case text == "":
			return config, fmt.Errorf("%s must not be empty", key)
		}
		*texts[key] = text
	}
	return config, err
}
