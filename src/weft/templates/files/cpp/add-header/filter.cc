// Adds a header to every response. The config names it: {"name": "hello", "value": "world"}.
#include <string>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

// One per worker and config: what all streams share.
class MyFilterRootContext : public RootContext {
 public:
  explicit MyFilterRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}

  bool onConfigure(size_t) override;

  std::string name_;
  std::string value_;
};

// One per request. Override what you need: onRequestHeaders, onRequestBody, onResponseBody, onDone, onLog, ...
class MyFilterContext : public Context {
 public:
  explicit MyFilterContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<MyFilterRootContext *>(root)) {}

  FilterHeadersStatus onResponseHeaders(uint32_t headers, bool end_of_stream) override;

 private:
  MyFilterRootContext *root_;
};

static RegisterContextFactory register_MyFilterContext(CONTEXT_FACTORY(MyFilterContext),
                                                       ROOT_FACTORY(MyFilterRootContext), "my_filter");

bool MyFilterRootContext::onConfigure(size_t) {
  weft::Config config;
  name_ = weft::lowerCase(config.string("name", "hello"));
  value_ = config.string("value", "world");
  if (!weft::isHeaderName(name_)) config.refuse("name", "must be a valid HTTP header name");
  if (!weft::isHeaderValue(value_)) config.refuse("value", "must be a valid HTTP header value");
  return config.accepted();  // false: Envoy refuses the config and shows what was wrong
}

FilterHeadersStatus MyFilterContext::onResponseHeaders(uint32_t, bool) {
  addResponseHeader(root_->name_, root_->value_);
  return FilterHeadersStatus::Continue;
}
