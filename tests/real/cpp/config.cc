// Reads a config with every kind of value, and logs what it read.
#include <string>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

class Configured : public RootContext {
 public:
  using RootContext::RootContext;

  bool onConfigure(size_t) override {
    weft::Config config;
    std::string read = config.string("text", "none") + "|" + (config.boolean("flag", true) ? "true" : "false") + "|" +
                       std::to_string(config.integer("whole", 5)) + "|" +
                       std::to_string(config.integer("small", 1, 0, 10)) + "|" +
                       std::to_string(static_cast<int>(config.number("ratio", 0.5) * 100));
    for (const auto &item : config.strings("list")) read += "|" + item;
    for (auto &item : config.objects("items")) read += "|" + item.requiredString("key");
    if (auto nested = config.object("nested")) {
      if (auto deeper = nested->object("deeper")) read += "|" + deeper->string("key");
      if (nested->has("never")) nested->refuse("never", "must never be given");
    }
    if (!config.accepted()) return false;
    logInfo(read);
    return true;
  }
};

static RegisterContextFactory register_configured(ROOT_FACTORY(Configured), "configured");
