// A filter in the shape that `wasme init` gave its C++ projects: contexts of ABI 0.1.0, a log line in every callback.
// Only the config is read differently: wasme's had protobuf.
#include <string>
#include <unordered_map>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

class AddHeaderRootContext : public RootContext {
 public:
  explicit AddHeaderRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}
  bool onConfigure(size_t /* configuration_size */) override;

  bool onStart(size_t) override;

  std::string header_name_;
  std::string header_value_;
};

class AddHeaderContext : public Context {
 public:
  explicit AddHeaderContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<AddHeaderRootContext *>(static_cast<void *>(root))) {}

  void onCreate() override;
  FilterHeadersStatus onRequestHeaders(uint32_t headers) override;
  FilterDataStatus onRequestBody(size_t body_buffer_length, bool end_of_stream) override;
  FilterHeadersStatus onResponseHeaders(uint32_t headers) override;
  void onDone() override;
  void onLog() override;
  void onDelete() override;

 private:
  AddHeaderRootContext *root_;
};
static RegisterContextFactory register_AddHeaderContext(CONTEXT_FACTORY(AddHeaderContext),
                                                        ROOT_FACTORY(AddHeaderRootContext), "add_header_root_id");

bool AddHeaderRootContext::onConfigure(size_t) {
  auto conf = getConfiguration();
  weft::Config config(conf->view());
  header_name_ = config.string("name");
  header_value_ = config.string("value");
  LOG_DEBUG("configured with " + header_name_);
  return config.accepted();
}

bool AddHeaderRootContext::onStart(size_t) {
  LOG_DEBUG("start");
  return true;
}

void AddHeaderContext::onCreate() { LOG_DEBUG(std::string("create " + std::to_string(id()))); }

FilterHeadersStatus AddHeaderContext::onRequestHeaders(uint32_t) {
  LOG_DEBUG(std::string("request headers ") + std::to_string(id()));
  return FilterHeadersStatus::Continue;
}

FilterHeadersStatus AddHeaderContext::onResponseHeaders(uint32_t) {
  LOG_DEBUG(std::string("response headers ") + std::to_string(id()));
  addResponseHeader(root_->header_name_, root_->header_value_);
  replaceResponseHeader("location", "envoy-wasm");
  return FilterHeadersStatus::Continue;
}

FilterDataStatus AddHeaderContext::onRequestBody(size_t, bool) { return FilterDataStatus::Continue; }

void AddHeaderContext::onDone() { LOG_DEBUG(std::string("done " + std::to_string(id()))); }

void AddHeaderContext::onLog() { LOG_DEBUG(std::string("log " + std::to_string(id()))); }

void AddHeaderContext::onDelete() { LOG_DEBUG(std::string("delete " + std::to_string(id()))); }
