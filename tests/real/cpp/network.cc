// A network filter that does what the bytes of either side say: "hold" stops, "close down" and "close up" close,
// "change" becomes "changed", "trap" fails. What is held goes on when an HTTP call to cluster "a" is answered, which
// "ask" makes. With the config "hold" a new connection is held, too; with "keep" for ever.
#include <string>

#include "proxy_wasm_intrinsics.h"

class Root : public RootContext {
 public:
  using RootContext::RootContext;

  std::string config;

  bool onConfigure(size_t size) override {
    config = getBufferBytes(WasmBufferType::PluginConfiguration, 0, size)->toString();
    return true;
  }
};

class Relay : public Context {
 public:
  using Context::Context;

  void onCreate() override { logInfo("create"); }
  FilterStatus onNewConnection() override {
    logInfo("new");
    auto &config = static_cast<Root *>(root())->config;
    if (config == "hold") ask();
    return config.empty() ? FilterStatus::Continue : FilterStatus::StopIteration;
  }
  FilterStatus onDownstreamData(size_t size, bool end) override {
    return act("down", WasmBufferType::NetworkDownstreamData, size, end);
  }
  FilterStatus onUpstreamData(size_t size, bool end) override {
    return act("up", WasmBufferType::NetworkUpstreamData, size, end);
  }
  void onDownstreamConnectionClose(CloseType type) override {
    logInfo("down closed " + std::to_string(static_cast<int>(type)));
  }
  void onUpstreamConnectionClose(CloseType type) override {
    logInfo("up closed " + std::to_string(static_cast<int>(type)));
  }
  void onDone() override { logInfo("done"); }
  void onLog() override { logInfo("log"); }
  void onDelete() override { logInfo("delete"); }

 private:
  void ask() {
    root()->httpCall("a", {{":method", "GET"}, {":path", "/"}, {":authority", "a"}}, "", {}, 2000,
                     [this](uint32_t, size_t, uint32_t) {
                       setEffectiveContext();
                       logInfo("continue " + toString(continueDownstream()));
                     });
  }

  FilterStatus act(const std::string &side, WasmBufferType type, size_t size, bool end) {
    auto data = getBufferBytes(type, 0, size)->toString();
    logInfo(side + " " + std::to_string(size) + (end ? " end " : " ") + data);
    auto says = [&](const char *word) { return data.find(word) != std::string::npos; };
    if (says("trap")) __builtin_trap();
    if (says("close down")) logInfo("close " + toString(closeDownstream()));
    if (says("close up")) logInfo("close " + toString(closeUpstream()));
    if (says("change")) setBuffer(type, 0, size, "changed");
    if (says("ask")) ask();
    return says("hold") ? FilterStatus::StopIteration : FilterStatus::Continue;
  }
};

static RegisterContextFactory register_relay(CONTEXT_FACTORY(Relay), ROOT_FACTORY(Root), "r");
