// Does what the header x-do of a request says with gRPC, and logs all that comes back.
//
// x-do is a list of words with spaces between: "call", "stream", "send", "last", "close", "cancel"; the calls go
// to x-cluster, or to x-service as it is, with the metadata x-mine: yes. What is sent is x-message. A call may
// take x-timeout milliseconds, or 1000 where that is no number.
#include <cstdlib>
#include <string>

#include "proxy_wasm_intrinsics.h"

static std::string shown(WasmDataPtr data) {
  std::string text;
  for (auto &[name, value] : data->pairs()) {
    bool measured = name == "x-envoy-upstream-service-time";
    text += " " + std::string(name) + "=" + (measured ? "?" : std::string(value));
  }
  return text;
}

class Caller : public RootContext {
 public:
  using RootContext::RootContext;

  uint32_t last = 0;

  void onGrpcReceiveInitialMetadata(uint32_t token, uint32_t count) override {
    say(token, "initial", count, shown(getHeaderMapPairs(WasmHeaderMapType::GrpcReceiveInitialMetadata)));
  }
  void onGrpcReceiveTrailingMetadata(uint32_t token, uint32_t count) override {
    say(token, "trailing", count, shown(getHeaderMapPairs(WasmHeaderMapType::GrpcReceiveTrailingMetadata)));
  }
  void onGrpcReceive(uint32_t token, size_t size) override {
    auto message = getBufferBytes(WasmBufferType::GrpcReceiveBuffer, 0, size);
    say(token, "message", static_cast<uint32_t>(size), " " + message->toString());
  }
  void onGrpcClose(uint32_t token, GrpcStatus status) override {
    auto [code, words] = getStatus();
    say(token, "close", static_cast<uint32_t>(status), " " + std::to_string(code) + " " + words->toString());
  }

 private:
  void say(uint32_t token, const char *what, uint32_t number, const std::string &rest) {
    logInfo(std::to_string(token) + " " + what + " " + std::to_string(number) + rest);
  }
};

class Asker : public Context {
 public:
  using Context::Context;

  FilterHeadersStatus onRequestHeaders(uint32_t, bool) override {
    std::string words = header("x-do") + " ";
    for (size_t end; (end = words.find(' ')) != std::string::npos; words.erase(0, end + 1)) {
      if (end) logInfo(words.substr(0, end) + " " + toString(act(words.substr(0, end))));
    }
    return FilterHeadersStatus::Continue;
  }

 private:
  std::string header(const char *name) { return getRequestHeader(name)->toString(); }

  // An envoy.config.core.v3.GrpcService that names an Envoy cluster.
  std::string service() {
    auto cluster = header("x-cluster");
    if (cluster.empty()) return header("x-service");
    auto size = static_cast<char>(cluster.size());
    return {"\n" + std::string(1, static_cast<char>(size + 2)) + "\n" + std::string(1, size) + cluster};
  }

  WasmResult act(const std::string &word) {
    auto &last = static_cast<Caller *>(root())->last;
    const HeaderStringPairs mine = {{"x-mine", "yes"}};
    if (word == "call") {
      auto timeout = static_cast<uint32_t>(std::strtoul(header("x-timeout").c_str(), nullptr, 10));
      return grpcCall(service(), "demo.Echo", "Say", mine, header("x-message"), timeout ? timeout : 1000, &last);
    }
    if (word == "stream") return grpcStream(service(), "demo.Echo", "Chat", mine, &last);
    if (word == "send" || word == "last") return grpcSend(last, header("x-message"), word == "last");
    if (word == "close") return grpcClose(last);
    return word == "cancel" ? grpcCancel(last) : WasmResult::Ok;
  }
};

static RegisterContextFactory register_asker(CONTEXT_FACTORY(Asker), ROOT_FACTORY(Caller), "r");
