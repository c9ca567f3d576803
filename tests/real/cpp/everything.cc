// A filter that uses all of the SDK. Each thing it tries is logged as "yes: <what>" or "NO: <what>".
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy_wasm_intrinsics.h"

namespace {

void check(std::string_view what, bool holds) { logInfo(std::string(holds ? "yes: " : "NO: ") + std::string(what)); }

bool ok(WasmResult result) { return result == WasmResult::Ok; }

std::string answerHeader(std::string_view name) {
  return getHeaderMapValue(WasmHeaderMapType::HttpCallResponseHeaders, name)->toString();
}

struct Message {  // as much of a protobuf message as the SDK asks for
  std::string bytes;
  bool SerializeToString(std::string *out) const {
    *out = bytes;
    return bytes != "bad";
  }
  bool ParseFromArray(const char *data, size_t size) {
    bytes.assign(data, size);
    return true;
  }
};

}  // namespace

class EverythingRoot : public RootContext {
 public:
  explicit EverythingRoot(uint32_t id, std::string_view root_id) : RootContext(id, root_id) {}

  bool validateConfiguration(size_t) override { return true; }
  bool onStart(size_t vm_configuration_size) override;
  bool onConfigure(size_t configuration_size) override;
  void onTick() override;
  void onQueueReady(uint32_t token) override;
  void onForeignFunction(uint32_t, uint32_t) override {}

 private:
  void metrics();
  void sharedData();
  void properties();
  void calls();

  uint32_t queue_ = 0;
  int ticks_ = 0;
};

class Everything : public Context {
 public:
  explicit Everything(uint32_t id, RootContext *root) : Context(id, root) {}

  void onCreate() override {
    check("a stream knows its root", root()->root_id() == "everything" && getContext(id()) == this);
  }
  FilterHeadersStatus onRequestHeaders(uint32_t headers, bool end_of_stream) override;
  FilterDataStatus onRequestBody(size_t size, bool end_of_stream) override;
  FilterTrailersStatus onRequestTrailers(uint32_t trailers) override;
  FilterMetadataStatus onRequestMetadata(uint32_t) override { return FilterMetadataStatus::Continue; }
  FilterHeadersStatus onResponseHeaders(uint32_t headers, bool end_of_stream) override;
  FilterDataStatus onResponseBody(size_t size, bool end_of_stream) override;
  FilterTrailersStatus onResponseTrailers(uint32_t trailers) override;
  FilterMetadataStatus onResponseMetadata(uint32_t) override { return FilterMetadataStatus::Continue; }
  FilterStatus onNewConnection() override;
  FilterStatus onDownstreamData(size_t size, bool end_of_stream) override;
  FilterStatus onUpstreamData(size_t size, bool end_of_stream) override;
  void onDownstreamConnectionClose(CloseType type) override;
  void onUpstreamConnectionClose(CloseType) override {}
  void onDone() override { done_ = true; }
  void onLog() override { check("a stream is logged", true); }
  void onDelete() override { check("the end comes last", done_); }

 private:
  void crash(std::string_view path);
  void replace(WasmBufferType buffer, size_t size, std::string_view old_text, std::string_view new_text);

  bool done_ = false;
};

static RegisterContextFactory register_everything(CONTEXT_FACTORY(Everything), ROOT_FACTORY(EverythingRoot),
                                                  "everything");

// ------------------------------------------------------------------------------------------------ the plugin

bool EverythingRoot::onStart(size_t vm_configuration_size) {
  check("the VM's configuration", getConfiguration()->view() == "for the VM" && vm_configuration_size == 10);
  check("the VM's configuration as a buffer",
        getBufferBytes(WasmBufferType::VmConfiguration, 4, 100)->view() == "the VM");
  return true;
}

bool EverythingRoot::onConfigure(size_t configuration_size) {
  const WasmDataPtr configuration = getConfiguration();
  check("the plugin's configuration", configuration->toString() == "for the plugin" && configuration->size() == 14);
  check("its size", configuration_size == 14);
  check("data as a message", configuration->proto<Message>().bytes == "for the plugin");
  check("a root is found by its id", getRoot("everything") == this && getRoot("nobody") == nullptr);
  check("a root by its number", getRootContext(id()) == this && getContext(id()) == nullptr && asRoot() == this);
  check("nobody", getContextBase(4711) == nullptr);
  LogLevel level;
  check("the log level", ok(getLogLevel(&level)) && level == LogLevel::debug);
  LOG_INFO("a number " + std::to_string(7));
  LOG_WARN(std::string("a warning"));
  LOG_TRACE("nobody listens" + (check("messages nobody reads are not made", false), std::string()));
  check("time passes", getCurrentTimeNanoseconds() > 1'700'000'000'000'000'000);
  check("names of results", toString(WasmResult::CasMismatch) == "CasMismatch");
  metrics();
  sharedData();
  properties();
  check("a queue", ok(registerSharedQueue("queue", &queue_)));
  uint32_t resolved = 0;
  check("the same queue by its name", ok(resolveSharedQueue("", "queue", &resolved)) && resolved == queue_);
  WasmDataPtr item;
  check("an empty queue", dequeueSharedQueue(queue_, &item) == WasmResult::Empty && item->size() == 0);
  WasmDataPtr answer;
  check("a foreign function", callForeignFunction("no such function", "x", &answer) == WasmResult::NotFound);
  check("a foreign function without an answer", !ok(callForeignFunction("no such function", "x")));
  check("a timer", ok(setTickPeriod(50)));
  check("its first name", ok(proxy_set_tick_period_milliseconds(50)));
  return true;
}

void EverythingRoot::metrics() {
  uint32_t id = 0;
  uint64_t value = 0;
  check("a counter", ok(defineMetric(MetricType::Counter, "plain", &id)) && ok(incrementMetric(id, 3)) &&
                         ok(recordMetric(id, 4)) && ok(getMetric(id, &value)) && value >= 7);
  auto *tagged = Counter<std::string, int, bool>::New("tagged", "text", "number", "truth");
  tagged->increment(2, "a", 7, true);
  ++tagged->resolve("a", 7, true);
  check("a counter with tags", tagged->get("a", 7, true) >= 3);
  check("its full name",
        tagged->nameFromIdSlow(tagged->resolve("a", 7, true).metric_id) == "text.a.number.7.truth.true.tagged");
  auto *longer = tagged->extendAndResolve<std::string_view>("b", 8, false, "more");
  longer->record(5, std::string_view("c"));
  check("more tags", longer->get("c") >= 5);
  Gauge<std::string_view> gauge("gauge", "kind");
  gauge.record(11, "x");
  check("a gauge", gauge.get("x") == 11 && gauge.resolve("x").get() == 11);
  Histogram<const char *> histogram("histogram", "kind");
  histogram.record(12, "y");
  histogram.resolve("y").record(13);
  Metric metric(MetricType::Gauge, "loose",
                {MetricTag{"one", MetricTag::TagType::String}, {"two", MetricTag::TagType::Int}}, "_", "=");
  metric.record(21, std::string("p"), 2);
  check("tags at run time",
        metric.get("p", 2) == 21 && metric.partiallyResolve("p").resolve(2) == metric.resolve("p", 2));
  metric.record(uint64_t{22}, "p", 2);
  Metric counter(MetricType::Counter, "bare");
  counter.increment(1);
  check("no tags at all", counter.get() >= 1);
}

void EverythingRoot::sharedData() {
  WasmDataPtr data;
  uint32_t version = 0;
  check("no shared data yet", getSharedData("nothing", &data) == WasmResult::NotFound && data == nullptr);
  check("shared data", ok(setSharedData("key", "value")) && ok(getSharedData("key", &data, &version)) &&
                           data->view() == "value" && version > 0);
  check("shared data that somebody changed", setSharedData("key", "x", version + 1) == WasmResult::CasMismatch);
  check("the value of shared data", getSharedDataValue("key")->view() == "value");
}

void EverythingRoot::properties() {
  std::string name;
  check("a property as a string", getValue({"plugin_name"}, &name) && name == "all of it");
  check("by a list of strings", getValue(std::vector<std::string>{"plugin_root_id"}, &name) && name == "everything");
  check("by a list of views", getValue(std::vector<std::string_view>{"plugin_vm_id"}, &name) && name == "one");
  int64_t number = 0;
  check("a property of another size", !getValue({"plugin_name"}, &number));
  check("no such property", !getProperty({"no", "such"}).has_value());
  Message message;
  check("a property as a message", getMessageValue({"plugin_name"}, &message) && message.bytes == "all of it");
}

void EverythingRoot::onTick() {
  ++ticks_;
  if (ticks_ == 1) calls();
  if (ticks_ == 2) {
    check("into the queue", ok(enqueueSharedQueue(queue_, "item")));
    setTickPeriod(0);
  }
}

void EverythingRoot::onQueueReady(uint32_t token) {
  WasmDataPtr item;
  check("out of the queue", token == queue_ && ok(dequeueSharedQueue(token, &item)) && item->view() == "item");
}

class FailingCall : public GrpcCallHandler<Message> {
 public:
  void onSuccess(size_t) override { check("a gRPC call without an upstream succeeds", false); }
  void onFailure(GrpcStatus status) override {
    check("a gRPC handler", status == GrpcStatus::Unavailable && context() != nullptr && token() > 0);
    check("its status", getStatus().first == static_cast<uint32_t>(status));
  }
};

class FailingStream : public GrpcStreamHandler<Message, Message> {
 public:
  ~FailingStream() override { check("a gRPC stream's handler is freed", true); }
  void onReceive(size_t) override {}
  void onRemoteClose(GrpcStatus) override {
    check("a gRPC stream", context() != nullptr && send(Message{"bad"}, true) == WasmResult::SerializationFailure);
    reset();
  }
};

void EverythingRoot::calls() {
  const HeaderStringPairs request = {
      {":method", "POST"}, {":path", "/called"}, {":authority", "up"}, {"x-from", "wasm"}};
  const auto on_answer = [this](uint32_t headers, size_t body_size, uint32_t trailers) {
    check("an HTTP call", headers > 0 && answerHeader(":status") == "200");
    check("its trailers",
          trailers == 1 &&
              getHeaderMapPairs(WasmHeaderMapType::HttpCallResponseTrailers)->pairs()[0].first == "x-trailer");
    check("its answer", getBufferBytes(WasmBufferType::HttpCallResponseBody, 0, body_size)->view() == "sent");
    const auto on_failure = [](uint32_t, size_t, uint32_t) {
      check("a failed HTTP call", answerHeader(":status") == "503");
    };
    check("a call made in a callback",
          ok(httpCall("nobody", {{":method", "GET"}, {":path", "/"}, {":authority", "x"}}, "", {}, 1000, on_failure)));
  };
  check("an HTTP call is made", ok(httpCall("upstream", request, "sent", {}, 5000, on_answer)));
  check("an HTTP call without a cluster",
        httpCall("no such cluster", request, "", {}, 5000, on_answer) == WasmResult::BadArgument);
  uint32_t token = 0;
  check("an HTTP call by hand", ok(makeHttpCall("nobody", request, "", {}, 1000, &token)) && token > 0);
  check("a gRPC call", ok(grpcSimpleCall("nobody", "service", "method", {}, "", 1000, [](GrpcStatus status, size_t) {
          check("a failed gRPC call", status == GrpcStatus::Unavailable);
        })));
  check("a gRPC call with two callbacks",
        ok(grpcSimpleCall(
            "nobody", "service", "method", {}, "", 1000, [](size_t) { check("success", false); },
            [](GrpcStatus status) { check("the second callback", status == GrpcStatus::Unavailable); })));
  check("a gRPC call with a handler",
        ok(grpcCallHandler("nobody", "service", "method", {{"a", "b"}}, "", 1000, std::make_unique<FailingCall>())));
  check("a gRPC stream is opened",
        ok(grpcStreamHandler("nobody", "service", "method", {}, std::make_unique<FailingStream>())));
  check("gRPC by hand", ok(grpcCall("nobody", "service", "method", {}, "", 1000, &token)) && ok(grpcCancel(token)) &&
                            !ok(grpcClose(4711)) && !ok(grpcSend(4711, "x", true)) &&
                            !ok(grpcStream("", "", "", {}, &token)));
}

// ---------------------------------------------------------------------------------------------- an HTTP stream

FilterHeadersStatus Everything::onRequestHeaders(uint32_t headers, bool) {
  const std::string path = getRequestHeader(":path")->toString();
  crash(path);
  const auto pairs_data = getRequestHeaderPairs();
  const auto pairs = pairs_data->pairs();
  size_t size = 0;
  check("all request headers", pairs.size() == headers && pairs[1].first == ":path" && pairs[1].second == path);
  check("their size", ok(getRequestHeaderSize(&size)) && size > path.size());
  check("no such header", getRequestHeader("x-none")->data() == nullptr && getRequestHeader("x-none")->view().empty());
  addRequestHeader("x-twice", "1");
  addRequestHeader("x-twice", "2");
  addRequestHeader("x-gone", "1");
  replaceRequestHeader("x-new", "3");
  removeRequestHeader("x-gone");
  int64_t length = 0;
  std::string method;
  check("a property as a number", getValue({"request", "size"}, &length) && length >= 0);
  check("a property of the request", getValue({"request", "method"}, &method) && method.size() >= 3);
  check("filter state", ok(setFilterStateStringValue("mine", "yes")) && getValue({"mine"}, &method) && method == "yes");
  if (path == "/local") {
    sendLocalResponse(418, "details", "short and stout\n", {{"x-tea", "pot"}});
    return FilterHeadersStatus::StopIteration;
  }
  if (path == "/set") {
    setRequestHeaderPairs({{":method", "GET"},
                           {":path", "/other"},
                           {":authority", "set"},
                           {":scheme", "http"},
                           {"x-forwarded-proto", "http"}});
  }
  if (path == "/wait") {
    root()->httpCall("upstream", {{":method", "GET"}, {":path", "/"}, {":authority", "x"}}, "", {}, 5000,
                     [id = id()](uint32_t, size_t, uint32_t) {
                       if (Context *self = getContext(id)) self->setEffectiveContext();
                       check("a stream goes on", ok(continueRequest()));
                     });
    return FilterHeadersStatus::StopIteration;
  }
  return FilterHeadersStatus::Continue;
}

void Everything::crash(std::string_view path) {
  if (path == "/crash/vector") static_cast<void>(std::vector<int>(3).at(7));
  if (path == "/crash/abort") logAbort("this is the end");
  if (path == "/crash/check") CHECK_RESULT(proxy_done() == WasmResult::Ok ? WasmResult::Empty : WasmResult::Empty);
}

FilterDataStatus Everything::onRequestBody(size_t size, bool) {
  check("the request's body", getBufferBytes(WasmBufferType::HttpRequestBody, 0, size)->view() == "tick tock");
  size_t length = 0;
  uint32_t flags = 0;
  check("its status", ok(getBufferStatus(WasmBufferType::HttpRequestBody, &length, &flags)) && length == size);
  check("a body replaced",
        ok(setBuffer(WasmBufferType::HttpRequestBody, 0, size, "tick boom!", &length)) && length == size + 1);
  check("a part of a body", setBuffer(WasmBufferType::HttpRequestBody, 5, 4, "x") == WasmResult::BadArgument);
  return FilterDataStatus::Continue;
}

FilterHeadersStatus Everything::onResponseHeaders(uint32_t, bool) {
  addResponseHeader("x-added", "a");
  replaceResponseHeader("x-added", "b");
  removeResponseHeader("server");
  removeResponseHeader("content-length");
  size_t size = 0;
  check("all response headers", getResponseHeader("x-added")->view() == "b" && getResponseHeaderPairs()->size() > 0 &&
                                    ok(getResponseHeaderSize(&size)) && size > 0);
  uint64_t code = 0;
  int64_t wide_code = 0;
  check("the response's code",
        getValue({"response", "code"}, &wide_code) && wide_code >= 200 && getValue({"response", "code"}, &code));
  return FilterHeadersStatus::Continue;
}

FilterDataStatus Everything::onResponseBody(size_t size, bool) {
  if (size > 0) check("an appended body", ok(setBuffer(WasmBufferType::HttpResponseBody, size, 0, "!")));
  return FilterDataStatus::Continue;
}

FilterTrailersStatus Everything::onRequestTrailers(uint32_t trailers) {
  size_t size = 0;
  addRequestTrailer("t-added", "1");
  replaceRequestTrailer("t-sent", "2");
  removeRequestTrailer("t-gone");
  check("request trailers", trailers == 2 && getRequestTrailer("t-sent")->view() == "2" &&
                                getRequestTrailerPairs()->pairs().size() == 2 && ok(getRequestTrailerSize(&size)) &&
                                size > 0);
  return FilterTrailersStatus::Continue;
}

FilterTrailersStatus Everything::onResponseTrailers(uint32_t trailers) {
  size_t size = 0;
  check("response trailers", trailers == 1 && getResponseTrailer("x-trailer")->view() == "upstream" &&
                                 getResponseTrailerPairs()->pairs().size() == 1 && ok(getResponseTrailerSize(&size)));
  setResponseTrailerPairs({{"x-set", "all"}, {"x-gone", "1"}});
  addResponseTrailer("x-added", "1");
  replaceResponseTrailer("x-added", "2");
  removeResponseTrailer("x-gone");
  return FilterTrailersStatus::Continue;
}

// ------------------------------------------------------------------------------------------------ a TCP stream

FilterStatus Everything::onNewConnection() {
  check("a connection", true);
  return FilterStatus::Continue;
}

FilterStatus Everything::onDownstreamData(size_t size, bool) {
  replace(WasmBufferType::NetworkDownstreamData, size, "/ping", "/PING");
  return FilterStatus::Continue;
}

FilterStatus Everything::onUpstreamData(size_t size, bool) {
  replace(WasmBufferType::NetworkUpstreamData, size, "200 OK", "200 So");
  return FilterStatus::Continue;
}

void Everything::replace(WasmBufferType buffer, size_t size, std::string_view old_text, std::string_view new_text) {
  std::string data = getBufferBytes(buffer, 0, size)->toString();
  const size_t at = data.find(old_text);
  if (at == std::string::npos) return;
  data.replace(at, old_text.size(), new_text);
  check("data of a connection", ok(setBuffer(buffer, 0, size, data)));
}

void Everything::onDownstreamConnectionClose(CloseType type) {
  check("a connection's end", type == CloseType::Remote || type == CloseType::Local);
}

// Never called: what this test's exchange has no occasion for compiles all the same.
WASM_EXPORT(void, not_called, ()) {
  setResponseHeaderPairs({});
  continueDownstream(), continueUpstream(), closeRequest(), closeResponse(), closeDownstream(), closeUpstream();
  LOG_TRACE("t");
  LOG_ERROR("e");
  LOG_CRITICAL("c");
  logTrace("t"), logDebug("d"), logWarn("w"), logError("e");
}
