// The suite's filter: the path of a request, or what a connection says, names what it does with the host.
// Whatever comes back is logged, in the words of all other languages' filters.
#include <string>
#include <vector>

#include "proxy_wasm_intrinsics.h"

namespace {

std::string text(const WasmDataPtr &data) { return data->toString(); }

bool starts(std::string_view name) { return name.substr(0, 2) == "x-"; }

std::vector<std::string> words(std::string line) {
  std::vector<std::string> found;
  line += ' ';
  for (size_t end; (end = line.find(' ')) != std::string::npos; line.erase(0, end + 1)) {
    if (end > 0) found.push_back(line.substr(0, end));
  }
  return found;
}

// An envoy.config.core.v3.GrpcService that names an Envoy cluster.
std::string service(const std::string &cluster) {
  const auto size = static_cast<char>(cluster.size());
  return std::string{'\n', static_cast<char>(size + 2), '\n', size} + cluster;
}

const HeaderStringPairs QUESTION = {{":method", "GET"}, {":path", "/ask"}, {":authority", "a"}};

}  // namespace

class SuiteRoot : public RootContext {
 public:
  using RootContext::RootContext;

  std::string config;
  uint32_t last_call = 0;

  bool onStart(size_t size) override {
    logInfo("started " + text(getBufferBytes(WasmBufferType::VmConfiguration, 0, size)));
    return true;
  }
  bool onConfigure(size_t size) override {
    config = text(getBufferBytes(WasmBufferType::PluginConfiguration, 0, size));
    logInfo("configured " + config);
    uint32_t queue = 0;
    registerSharedQueue("letters", &queue);
    return config != "refuse";
  }
  void onTick() override {
    logInfo("tick");
    setTickPeriod(0);
  }
  void onQueueReady(uint32_t queue) override {
    WasmDataPtr letter;
    while (dequeueSharedQueue(queue, &letter) == WasmResult::Ok) logInfo("letter " + text(letter));
    logInfo("no more letters");
  }
  void onGrpcReceiveInitialMetadata(uint32_t, uint32_t) override {
    logInfo("initial " + text(getHeaderMapValue(WasmHeaderMapType::GrpcReceiveInitialMetadata, "x-initial")));
  }
  void onGrpcReceive(uint32_t, size_t size) override {
    logInfo("message " + text(getBufferBytes(WasmBufferType::GrpcReceiveBuffer, 0, size)));
  }
  void onGrpcReceiveTrailingMetadata(uint32_t, uint32_t) override {
    logInfo("trailing " + text(getHeaderMapValue(WasmHeaderMapType::GrpcReceiveTrailingMetadata, "x-trailing")));
  }
  void onGrpcClose(uint32_t, GrpcStatus status) override {
    logInfo("closed " + std::to_string(static_cast<int>(status)));
    auto [code, message] = getStatus();
    logInfo("status " + std::to_string(code) + " " + text(message));
  }
};

class Suite : public Context {
 public:
  using Context::Context;

  FilterHeadersStatus onRequestHeaders(uint32_t, bool) override {
    path_ = text(getRequestHeader(":path"));
    if (path_ == "/headers") headers();
    if (path_ == "/replace-all") {
      setRequestHeaderPairs(
          {{":method", "GET"}, {":path", "/other"}, {":authority", "other"}, {":scheme", "http"}, {"x-only", "one"}});
    }
    if (path_ == "/sizes") {
      size_t size = 0;
      getRequestHeaderSize(&size);
      logInfo("headers of " + std::to_string(size) + " bytes");
    }
    if (path_ == "/reset") closeRequest();
    if (path_ == "/shared") shared();
    if (path_ == "/queue") queue();
    if (path_ == "/across") across();
    if (path_ == "/metrics") metrics();
    if (path_ == "/properties") properties();
    if (path_ == "/time") {
      const uint64_t first = getCurrentTimeNanoseconds();
      logInfo(first > 0 && getCurrentTimeNanoseconds() >= first ? "time passes" : "time is odd");
    }
    if (path_ == "/levels") levels();
    if (path_ == "/foreign") foreign();
    if (path_ == "/tick") setTickPeriod(100);
    if (path_ == "/done") logInfo(proxy_done() == WasmResult::NotFound ? "nobody waits" : "done");
    if (path_ == "/grpc") grpc();
    if (path_ == "/local") {
      sendLocalResponse(418, "teapot", "short and stout\n", {{"x-pot", "tea"}});
      return FilterHeadersStatus::StopIteration;
    }
    if (path_ == "/ask") {
      ask([] { continueRequest(); });
      return FilterHeadersStatus::StopIteration;
    }
    return FilterHeadersStatus::Continue;
  }
  FilterDataStatus onRequestBody(size_t size, bool) override {
    return body(WasmBufferType::HttpRequestBody, size);
  }
  FilterTrailersStatus onRequestTrailers(uint32_t) override { return trailers(WasmHeaderMapType::RequestTrailers); }
  FilterMetadataStatus onRequestMetadata(uint32_t elements) override {
    logInfo("request metadata " + std::to_string(elements));
    return FilterMetadataStatus::Continue;
  }
  FilterHeadersStatus onResponseHeaders(uint32_t, bool) override {
    if (path_ == "/headers") {
      logInfo("status " + text(getResponseHeader(":status")));
      addResponseHeader("x-list", "second");
      replaceResponseHeader("x-old", "new");
      removeResponseHeader("x-gone");
    }
    if (path_ == "/hold") {
      ask([] { continueResponse(); });
      return FilterHeadersStatus::StopIteration;
    }
    return FilterHeadersStatus::Continue;
  }
  FilterDataStatus onResponseBody(size_t size, bool) override {
    return body(WasmBufferType::HttpResponseBody, size);
  }
  FilterTrailersStatus onResponseTrailers(uint32_t) override { return trailers(WasmHeaderMapType::ResponseTrailers); }
  FilterMetadataStatus onResponseMetadata(uint32_t elements) override {
    logInfo("response metadata " + std::to_string(elements));
    return FilterMetadataStatus::Continue;
  }
  void onDone() override { logInfo("done"); }
  void onLog() override { logInfo("log"); }

  FilterStatus onNewConnection() override {
    logInfo("new connection");
    return FilterStatus::Continue;
  }
  FilterStatus onDownstreamData(size_t size, bool) override {
    return relay("down", WasmBufferType::NetworkDownstreamData, size);
  }
  FilterStatus onUpstreamData(size_t size, bool) override {
    return relay("up", WasmBufferType::NetworkUpstreamData, size);
  }
  void onDownstreamConnectionClose(CloseType) override { logInfo("down closed"); }
  void onUpstreamConnectionClose(CloseType) override { logInfo("up closed"); }

 private:
  void headers() {
    logInfo("x-in " + text(getRequestHeader("x-in")));
    addRequestHeader("x-list", "second");
    replaceRequestHeader("x-old", "new");
    removeRequestHeader("x-gone");
    int count = 0;
    const WasmDataPtr pairs = getRequestHeaderPairs();
    for (auto &[name, value] : pairs->pairs()) count += starts(name);
    logInfo(std::to_string(count) + " of ours");
  }

  void shared() {
    WasmDataPtr value;
    uint32_t cas = 0;
    if (getSharedData("key", &value) == WasmResult::NotFound) logInfo("nothing shared");
    setSharedData("key", "one");
    getSharedData("key", &value, &cas);
    logInfo("shared " + text(value));
    if (setSharedData("key", "lost", cas + 1) == WasmResult::CasMismatch) logInfo("too late");
    setSharedData("key", "two", cas);
    getSharedData("key", &value);
    logInfo("shared " + text(value));
  }

  std::string vm() {
    std::string name;
    getValue({"plugin_vm_id"}, &name);
    return name;
  }

  void post(const std::string &vm_id, std::string_view letter) {
    uint32_t queue = 0;
    if (resolveSharedQueue(vm_id, "letters", &queue) == WasmResult::Ok) enqueueSharedQueue(queue, letter);
  }

  void queue() {
    uint32_t none = 0;
    if (resolveSharedQueue(vm(), "nothing", &none) == WasmResult::NotFound) logInfo("no such queue");
    post(vm(), "at home");
  }

  // The first filter tells where its queue is; the next one writes to it.
  void across() {
    const std::string other = text(getRequestHeader("x-vm"));
    if (other.empty()) {
      addRequestHeader("x-vm", vm());
    } else {
      removeRequestHeader("x-vm");
      post(other, "from afar");
    }
  }

  void metrics() {
    uint32_t counter = 0, gauge = 0, histogram = 0;
    uint64_t value = 0;
    defineMetric(MetricType::Counter, "suite_counter", &counter);
    incrementMetric(counter, 3);
    getMetric(counter, &value);
    logInfo("counter " + std::to_string(value));
    defineMetric(MetricType::Gauge, "suite_gauge", &gauge);
    incrementMetric(gauge, 9);
    incrementMetric(gauge, -2);
    getMetric(gauge, &value);
    logInfo("gauge " + std::to_string(value));
    defineMetric(MetricType::Histogram, "suite_histogram", &histogram);
    recordMetric(histogram, 12);
  }

  void properties() {
    std::string value;
    getValue({"request", "path"}, &value);
    logInfo("path " + value);
    if (!getValue({"no", "such"}, &value)) logInfo("no such property");
    setFilterState("mine", "yes");
    getValue({"mine"}, &value);
    logInfo("mine " + value);
  }

  void levels() {
    LogLevel level = LogLevel::critical;
    getLogLevel(&level);
    logInfo("level " + std::to_string(static_cast<int>(level)));
    logTrace("at trace"), logDebug("at debug"), logWarn("at warn"), logError("at error"), logCritical("at critical");
  }

  void foreign() {
    WasmDataPtr answer;
    if (callForeignFunction("nothing", "x", &answer) == WasmResult::NotFound) logInfo("no such function");
    callForeignFunction("compress", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &answer);
    callForeignFunction("uncompress", answer->view(), &answer);
    logInfo("again " + text(answer));
    if (callForeignFunction("clear_route_cache", "") == WasmResult::Ok) logInfo("another route");
  }

  template <typename Then>
  void ask(Then then) {
    root()->httpCall("a", QUESTION, "question", {{"x-sum", "1"}}, 2000,
                     [this, then](uint32_t count, size_t size, uint32_t trailers) {
                       std::string status = "failed";
                       if (count) status = text(getHeaderMapValue(WasmHeaderMapType::HttpCallResponseHeaders, ":status"));
                       logInfo("answer " + status + " " +
                               text(getBufferBytes(WasmBufferType::HttpCallResponseBody, 0, size)) + " " +
                               std::to_string(trailers));
                       setEffectiveContext();
                       then();
                     });
  }

  void grpc() {
    uint32_t &last = static_cast<SuiteRoot *>(root())->last_call;
    const std::string message = text(getRequestHeader("x-message"));
    const HeaderStringPairs mine = {{"x-mine", "yes"}};
    for (const std::string &word : words(text(getRequestHeader("x-do")))) {
      if (word == "call") grpcCall(service("a"), "demo.Echo", "Say", mine, message, 2000, &last);
      if (word == "stream") grpcStream(service("a"), "demo.Echo", "Chat", mine, &last);
      if (word == "send") grpcSend(last, message, false);
      if (word == "last") grpcSend(last, message, true);
      if (word == "close") grpcClose(last);
      if (word == "cancel") grpcCancel(last);
    }
  }

  FilterDataStatus body(WasmBufferType type, size_t size) {
    if (path_ == "/sizes") {
      size_t length = 0;
      uint32_t flags = 0;
      getBufferStatus(type, &length, &flags);
      logInfo("body of " + std::to_string(length) + " bytes");
    }
    if (path_ == "/body" && size) {
      const std::string held = text(getBufferBytes(type, 0, size));
      logInfo("body " + held);
      setBuffer(type, 0, size, "<" + held + ">");
    }
    return FilterDataStatus::Continue;
  }

  FilterTrailersStatus trailers(WasmHeaderMapType type) {
    if (path_ == "/body") {
      logInfo("x-sum " + text(getHeaderMapValue(type, "x-sum")));
      addHeaderMapValue(type, "x-list", "second");
      replaceHeaderMapValue(type, "x-old", "new");
      removeHeaderMapValue(type, "x-gone");
    }
    return FilterTrailersStatus::Continue;
  }

  FilterStatus relay(const std::string &side, WasmBufferType type, size_t size) {
    const std::string data = text(getBufferBytes(type, 0, size));
    logInfo(side + " " + data);
    auto says = [&](const char *word) { return data.find(word) != std::string::npos; };
    if (says("change")) setBuffer(type, 0, size, "changed");
    if (says("close down")) closeDownstream();
    if (says("close up")) closeUpstream();
    if (!says("hold")) return FilterStatus::Continue;
    ask([] { continueDownstream(); });
    return FilterStatus::StopIteration;
  }

  std::string path_;
};

static RegisterContextFactory register_suite(CONTEXT_FACTORY(Suite), ROOT_FACTORY(SuiteRoot), "suite");
