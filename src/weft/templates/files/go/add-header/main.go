// An Envoy filter that adds a header to every response.
package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

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
	filter MyFilter
}

func (root *MyFilterRoot) OnPluginStart(size int) types.OnPluginStartStatus {
	var text []byte
	if size > 0 {
		text, _ = proxywasm.GetPluginConfiguration()
	}
	var err error
	if root.filter.config, err = parse(text); err != nil {
		proxywasm.LogErrorf("config: %v", err)
		return types.OnPluginStartStatusFailed // Envoy refuses the config and keeps the last good one
	}
	return types.OnPluginStartStatusOK
}

// NewHttpContext is called for every request. This filter remembers nothing about one, so the same serves
// them all and leaves no garbage. A filter that does remember returns a new &MyFilter{...} here.
func (root *MyFilterRoot) NewHttpContext(uint32) types.HttpContext {
	return &root.filter
}

// MyFilter sees each request.
type MyFilter struct {
	types.DefaultHttpContext
	config config
}

func (filter *MyFilter) OnHttpResponseHeaders(int, bool) types.Action {
	if err := proxywasm.AddHttpResponseHeader(filter.config.name, filter.config.value); err != nil {
		proxywasm.LogDebugf("header not added: %v", err)
	}
	return types.ActionContinue
}

// config is what the filter is told; config.schema.json says the same to people and editors.
type config struct{ name, value string }

func parse(text []byte) (config, error) {
	config := config{name: "hello", value: "world"}
	keys, err := object(text)
	for key, value := range keys {
		text, isString := value.(string)
		switch {
		case key != "name" && key != "value":
			return config, fmt.Errorf("%s is not a known key", key)
		case !isString:
			return config, fmt.Errorf("%s must be a string", key)
		case key == "name" && !isToken(text):
			return config, errors.New("name must be a valid header name")
		case key == "value" && strings.ContainsFunc(text, unicode.IsControl):
			return config, errors.New("value must be a valid header value")
		case key == "name":
			config.name = strings.ToLower(text)
		case key == "value":
			config.value = text
		}
	}
	return config, err
}

// isToken tells whether HTTP allows this as the name of a header (RFC 9110, section 5.6.2).
func isToken(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return name != "" && strings.Trim(name, letters+"0123456789!#$%&'*+-.^_`|~") == ""
}
