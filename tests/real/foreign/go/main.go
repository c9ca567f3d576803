// The filter of scenarios.yaml, with the official SDK.
package main

import (
	"strconv"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct {
	types.DefaultPluginContext
	config  string
	counter proxywasm.MetricCounter
}

func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	config, _ := proxywasm.GetPluginConfiguration()
	p.config = string(config)
	proxywasm.LogInfof("configured with %s", config)
	p.counter = proxywasm.DefineCounterMetric("foreign_responses")
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &stream{plugin: p} }

type stream struct {
	types.DefaultHttpContext
	plugin *plugin
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *stream) OnHttpRequestHeaders(int, bool) types.Action {
	path, err := proxywasm.GetHttpRequestHeader(":path")
	must(err)
	if path == "/local" {
		must(proxywasm.SendHttpResponse(418, [][2]string{{"x-pot", "tea"}}, []byte("short and stout\n"), -1))
		return types.ActionPause
	}
	must(proxywasm.RemoveHttpRequestHeader("x-gone"))
	must(proxywasm.ReplaceHttpRequestHeader("x-twice", "new"))
	must(proxywasm.AddHttpRequestHeader("x-list", "filter"))
	headers, err := proxywasm.GetHttpRequestHeaders()
	must(err)
	count := 0
	for _, header := range headers {
		if header[0] == "x-list" {
			count++
		}
	}
	must(proxywasm.AddHttpRequestHeader("x-count", strconv.Itoa(count)))
	if path != "/call" {
		return types.ActionContinue
	}
	question := [][2]string{{":method", "GET"}, {":path", "/ask"}, {":authority", "auth"}}
	_, err = proxywasm.DispatchHttpCall("auth", question, nil, nil, 1000, s.answered)
	must(err)
	return types.ActionPause
}

func (s *stream) answered(int, int, int) {
	headers, err := proxywasm.GetHttpCallResponseHeaders()
	must(err)
	for _, header := range headers {
		if header[0] == ":status" {
			must(proxywasm.ReplaceHttpRequestHeader("x-auth", header[1]))
		}
	}
	must(proxywasm.ResumeHttpRequest())
}

func (s *stream) OnHttpRequestBody(size int, end bool) types.Action {
	if !end {
		return types.ActionPause
	}
	body, err := proxywasm.GetHttpRequestBody(0, size)
	must(err)
	must(proxywasm.ReplaceHttpRequestBody([]byte("<" + string(body) + ">")))
	return types.ActionContinue
}

func (s *stream) OnHttpResponseHeaders(int, bool) types.Action {
	must(proxywasm.ReplaceHttpResponseHeader("x-config", s.plugin.config))
	s.plugin.counter.Increment(1)
	return types.ActionContinue
}
