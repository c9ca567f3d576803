// The suite's filter: the path of a request, or what a connection says, names what it does with the host.
// Whatever comes back is logged, in the words of all other languages' filters.
package main

import (
	"strings"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

type vm struct{ types.DefaultVMContext }

func (*vm) OnVMStart(size int) types.OnVMStartStatus {
	var config []byte
	if size > 0 {
		config = must(proxywasm.GetVMConfiguration())
	}
	proxywasm.LogInfo("started " + string(config))
	return types.OnVMStartStatusOK
}

func (*vm) NewPluginContext(uint32) types.PluginContext { return &root{} }

type root struct {
	types.DefaultPluginContext
	config string
}

func (root *root) OnPluginStart(size int) types.OnPluginStartStatus {
	if size > 0 {
		root.config = string(must(proxywasm.GetPluginConfiguration()))
	}
	proxywasm.LogInfo("configured " + root.config)
	must(proxywasm.RegisterSharedQueue("letters"))
	return root.config != "refuse"
}

func (*root) OnTick() {
	proxywasm.LogInfo("tick")
	check(proxywasm.SetTickPeriodMilliSeconds(0))
}

func (*root) OnQueueReady(queue uint32) {
	for {
		letter, err := proxywasm.DequeueSharedQueue(queue)
		if err != nil {
			break
		}
		proxywasm.LogInfo("letter " + string(letter))
	}
	proxywasm.LogInfo("no more letters")
}

func (root *root) NewHttpContext(uint32) types.HttpContext {
	if root.config == "connections" {
		return nil
	}
	return &suite{}
}

func (root *root) NewTcpContext(uint32) types.TcpContext {
	if root.config != "connections" {
		return nil
	}
	return &connection{}
}

func ask(then func() error) {
	question := [][2]string{{":method", "GET"}, {":path", "/ask"}, {":authority", "a"}}
	trailers := [][2]string{{"x-sum", "1"}}
	must(proxywasm.DispatchHttpCall("a", question, []byte("question"), trailers, 2000, func(count, size, trailers int) {
		status, body := "failed", ""
		if count > 0 {
			for _, header := range must(proxywasm.GetHttpCallResponseHeaders()) {
				if header[0] == ":status" {
					status = header[1]
				}
			}
		}
		if size > 0 {
			body = string(must(proxywasm.GetHttpCallResponseBody(0, size)))
		}
		proxywasm.LogInfof("answer %s %s %d", status, body, trailers)
		check(then())
	}))
}

type suite struct {
	types.DefaultHttpContext
	path string
}

func (suite *suite) OnHttpRequestHeaders(int, bool) types.Action {
	suite.path = must(proxywasm.GetHttpRequestHeader(":path"))
	switch suite.path {
	case "/headers":
		headers()
	case "/replace-all":
		check(proxywasm.ReplaceHttpRequestHeaders([][2]string{
			{":method", "GET"}, {":path", "/other"}, {":authority", "other"}, {":scheme", "http"}, {"x-only", "one"},
		}))
	case "/shared":
		shared()
	case "/queue":
		if _, err := proxywasm.ResolveSharedQueue(vmID(), "nothing"); err != nil {
			proxywasm.LogInfo("no such queue")
		}
		post(vmID(), "at home")
	case "/across":
		across()
	case "/metrics":
		metrics()
	case "/properties":
		properties()
	case "/foreign":
		foreign()
	case "/tick":
		check(proxywasm.SetTickPeriodMilliSeconds(100))
	case "/done":
		proxywasm.PluginDone()
		proxywasm.LogInfo("nobody waits")
	case "/local":
		check(proxywasm.SendHttpResponse(418, [][2]string{{"x-pot", "tea"}}, []byte("short and stout\n"), -1))
		return types.ActionPause
	case "/ask":
		ask(proxywasm.ResumeHttpRequest)
		return types.ActionPause
	}
	return types.ActionContinue
}

func (suite *suite) OnHttpRequestBody(size int, _ bool) types.Action {
	if suite.path == "/body" && size > 0 {
		held := must(proxywasm.GetHttpRequestBody(0, size))
		proxywasm.LogInfo("body " + string(held))
		check(proxywasm.ReplaceHttpRequestBody([]byte("<" + string(held) + ">")))
	}
	return types.ActionContinue
}

func (suite *suite) OnHttpRequestTrailers(int) types.Action {
	if suite.path == "/body" {
		proxywasm.LogInfo("x-sum " + must(proxywasm.GetHttpRequestTrailer("x-sum")))
		check(proxywasm.AddHttpRequestTrailer("x-list", "second"))
		check(proxywasm.ReplaceHttpRequestTrailer("x-old", "new"))
		check(proxywasm.RemoveHttpRequestTrailer("x-gone"))
	}
	return types.ActionContinue
}

func (suite *suite) OnHttpResponseHeaders(int, bool) types.Action {
	if suite.path == "/headers" {
		proxywasm.LogInfo("status " + must(proxywasm.GetHttpResponseHeader(":status")))
		check(proxywasm.AddHttpResponseHeader("x-list", "second"))
		check(proxywasm.ReplaceHttpResponseHeader("x-old", "new"))
		check(proxywasm.RemoveHttpResponseHeader("x-gone"))
	}
	if suite.path == "/hold" {
		ask(proxywasm.ResumeHttpResponse)
		return types.ActionPause
	}
	return types.ActionContinue
}

func (suite *suite) OnHttpResponseBody(size int, _ bool) types.Action {
	if suite.path == "/body" && size > 0 {
		held := must(proxywasm.GetHttpResponseBody(0, size))
		proxywasm.LogInfo("body " + string(held))
		check(proxywasm.ReplaceHttpResponseBody([]byte("<" + string(held) + ">")))
	}
	return types.ActionContinue
}

func (suite *suite) OnHttpResponseTrailers(int) types.Action {
	if suite.path == "/body" {
		proxywasm.LogInfo("x-sum " + must(proxywasm.GetHttpResponseTrailer("x-sum")))
		check(proxywasm.AddHttpResponseTrailer("x-list", "second"))
		check(proxywasm.ReplaceHttpResponseTrailer("x-old", "new"))
		check(proxywasm.RemoveHttpResponseTrailer("x-gone"))
	}
	return types.ActionContinue
}

func (*suite) OnHttpStreamDone() { proxywasm.LogInfo("log") }

func headers() {
	proxywasm.LogInfo("x-in " + must(proxywasm.GetHttpRequestHeader("x-in")))
	check(proxywasm.AddHttpRequestHeader("x-list", "second"))
	check(proxywasm.ReplaceHttpRequestHeader("x-old", "new"))
	check(proxywasm.RemoveHttpRequestHeader("x-gone"))
	ours := 0
	for _, header := range must(proxywasm.GetHttpRequestHeaders()) {
		if strings.HasPrefix(header[0], "x-") {
			ours++
		}
	}
	proxywasm.LogInfof("%d of ours", ours)
}

func shared() {
	if _, _, err := proxywasm.GetSharedData("key"); err == types.ErrorStatusNotFound {
		proxywasm.LogInfo("nothing shared")
	}
	check(proxywasm.SetSharedData("key", []byte("one"), 0))
	value, cas, err := proxywasm.GetSharedData("key")
	check(err)
	proxywasm.LogInfo("shared " + string(value))
	if proxywasm.SetSharedData("key", []byte("lost"), cas+1) == types.ErrorStatusCasMismatch {
		proxywasm.LogInfo("too late")
	}
	check(proxywasm.SetSharedData("key", []byte("two"), cas))
	value, _, err = proxywasm.GetSharedData("key")
	check(err)
	proxywasm.LogInfo("shared " + string(value))
}

// vmID is empty where nobody gave the VM a name.
func vmID() string {
	name, _ := proxywasm.GetProperty([]string{"plugin_vm_id"})
	return string(name)
}

func post(vm, letter string) {
	if queue, err := proxywasm.ResolveSharedQueue(vm, "letters"); err == nil {
		check(proxywasm.EnqueueSharedQueue(queue, []byte(letter)))
	}
}

// across: the first filter tells where its queue is; the next one writes to it.
func across() {
	other, err := proxywasm.GetHttpRequestHeader("x-vm")
	if err != nil {
		check(proxywasm.AddHttpRequestHeader("x-vm", vmID()))
		return
	}
	check(proxywasm.RemoveHttpRequestHeader("x-vm"))
	post(other, "from afar")
}

func metrics() {
	counter := proxywasm.DefineCounterMetric("suite_counter")
	counter.Increment(3)
	proxywasm.LogInfof("counter %d", counter.Value())
	gauge := proxywasm.DefineGaugeMetric("suite_gauge")
	gauge.Add(9)
	gauge.Add(-2)
	proxywasm.LogInfof("gauge %d", gauge.Value())
	proxywasm.DefineHistogramMetric("suite_histogram").Record(12)
}

func properties() {
	proxywasm.LogInfo("path " + string(must(proxywasm.GetProperty([]string{"request", "path"}))))
	if _, err := proxywasm.GetProperty([]string{"no", "such"}); err != nil {
		proxywasm.LogInfo("no such property")
	}
	check(proxywasm.SetProperty([]string{"mine"}, []byte("yes")))
	proxywasm.LogInfo("mine " + string(must(proxywasm.GetProperty([]string{"mine"}))))
}

func foreign() {
	if _, err := proxywasm.CallForeignFunction("nothing", []byte("x")); err == types.ErrorStatusNotFound {
		proxywasm.LogInfo("no such function")
	}
	pressed := must(proxywasm.CallForeignFunction("compress", []byte(strings.Repeat("a", 32))))
	proxywasm.LogInfo("again " + string(must(proxywasm.CallForeignFunction("uncompress", pressed))))
	must(proxywasm.CallForeignFunction("clear_route_cache", nil))
	proxywasm.LogInfo("another route")
}

type connection struct{ types.DefaultTcpContext }

func (*connection) OnNewConnection() types.Action {
	proxywasm.LogInfo("new connection")
	return types.ActionContinue
}

func (*connection) OnDownstreamData(size int, _ bool) types.Action {
	return relay("down", size, proxywasm.GetDownstreamData, proxywasm.ReplaceDownstreamData)
}

func (*connection) OnUpstreamData(size int, _ bool) types.Action {
	return relay("up", size, proxywasm.GetUpstreamData, proxywasm.ReplaceUpstreamData)
}

func (*connection) OnDownstreamClose(types.PeerType) { proxywasm.LogInfo("down closed") }

func (*connection) OnUpstreamClose(types.PeerType) { proxywasm.LogInfo("up closed") }

func (*connection) OnStreamDone() { proxywasm.LogInfo("log") }

func relay(side string, size int, get func(int, int) ([]byte, error), replace func([]byte) error) types.Action {
	data := ""
	if size > 0 {
		data = string(must(get(0, size)))
	}
	proxywasm.LogInfo(side + " " + data)
	if strings.Contains(data, "change") {
		check(replace([]byte("changed")))
	}
	if strings.Contains(data, "close down") {
		check(proxywasm.CloseDownstream())
	}
	if strings.Contains(data, "close up") {
		check(proxywasm.CloseUpstream())
	}
	if !strings.Contains(data, "hold") {
		return types.ActionContinue
	}
	ask(proxywasm.ContinueTcpStream)
	return types.ActionPause
}
