// An Envoy filter that counts and times requests in metrics of its own.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

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
	metrics metrics
}

func (root *MyFilterRoot) OnPluginStart(size int) types.OnPluginStartStatus {
	var text []byte
	if size > 0 {
		text, _ = proxywasm.GetPluginConfiguration()
	}
	prefix, err := parse(text)
	if err != nil {
		proxywasm.LogErrorf("config: %v", err)
		return types.OnPluginStartStatusFailed // Envoy refuses the config and keeps the last good one
	}
	root.metrics = metrics{
		requests: proxywasm.DefineCounterMetric(prefix + "_requests_total"),
		active:   proxywasm.DefineGaugeMetric(prefix + "_requests_active"),
		duration: proxywasm.DefineHistogramMetric(prefix + "_duration_ms"),
	}
	return types.OnPluginStartStatusOK
}

func (root *MyFilterRoot) NewHttpContext(uint32) types.HttpContext {
	return &MyFilter{metrics: &root.metrics}
}

// metrics are Envoy's numbers for ours; what is counted lives in Envoy, over all its workers.
type metrics struct {
	requests proxywasm.MetricCounter
	active   proxywasm.MetricGauge
	duration proxywasm.MetricHistogram
}

// MyFilter lives as long as one request.
type MyFilter struct {
	types.DefaultHttpContext
	metrics *metrics // shared by all requests
	started time.Time
}

func (filter *MyFilter) OnHttpRequestHeaders(int, bool) types.Action {
	filter.started = time.Now()
	filter.metrics.requests.Increment(1)
	filter.metrics.active.Add(1)
	return types.ActionContinue
}

func (filter *MyFilter) OnHttpResponseHeaders(int, bool) types.Action {
	seen := strconv.FormatUint(filter.metrics.requests.Value(), 10)
	if err := proxywasm.ReplaceHttpResponseHeader("x-requests-seen", seen); err != nil {
		proxywasm.LogDebugf("header not set: %v", err)
	}
	return types.ActionContinue
}

// OnHttpStreamDone is called when the request is over, however it ended.
func (filter *MyFilter) OnHttpStreamDone() {
	if filter.started.IsZero() {
		return // another filter answered before this one saw the request
	}
	filter.metrics.active.Add(-1)
	filter.metrics.duration.Record(uint64(time.Since(filter.started).Milliseconds()))
}

// parse reads the config, which config.schema.json describes to people and editors.
func parse(text []byte) (prefix string, err error) {
	prefix = "my_filter"
	keys, err := object(text)
	for key, value := range keys {
		text, isString := value.(string)
		switch {
		case key != "prefix":
			return "", fmt.Errorf("%s is not a known key", key)
		case !isString:
			return "", errors.New("prefix must be a string")
		case text == "":
			return "", errors.New("prefix must not be empty")
		}
		prefix = text
	}
	return prefix, err
}
