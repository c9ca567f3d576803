// Asks an authorization service about each request and lets it pass only if the answer is 200.
#include <string>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

// One per worker and config: what all streams share.
class MyFilterRootContext : public RootContext {
 public:
  explicit MyFilterRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}

  bool onConfigure(size_t) override;

  std::string cluster_;
  std::string authority_;
  std::string path_;
  uint32_t timeout_ms_ = 0;
};

// One per request.
class MyFilterContext : public Context {
 public:
  explicit MyFilterContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<MyFilterRootContext *>(root)) {}

  FilterHeadersStatus onRequestHeaders(uint32_t headers, bool end_of_stream) override;
  FilterHeadersStatus onResponseHeaders(uint32_t headers, bool end_of_stream) override;

 private:
  void onAnswer(bool answered);
  void deny();

  MyFilterRootContext *root_;
  bool allowed_ = false;
};

static RegisterContextFactory register_MyFilterContext(CONTEXT_FACTORY(MyFilterContext),
                                                       ROOT_FACTORY(MyFilterRootContext), "my_filter");

bool MyFilterRootContext::onConfigure(size_t) {
  weft::Config config;
  cluster_ = config.string("cluster", "auth-cluster");
  authority_ = config.string("authority", "auth");
  path_ = config.string("path", "/");
  timeout_ms_ = static_cast<uint32_t>(config.integer("timeout_ms", 1000, 1, UINT32_MAX));
  if (cluster_.empty()) config.refuse("cluster", "must not be empty");
  if (authority_.empty() || !weft::isHeaderValue(authority_)) config.refuse("authority", "must be a valid host");
  if (path_[0] != '/' || !weft::isHeaderValue(path_)) config.refuse("path", "must be a path that starts with /");
  return config.accepted();
}

FilterHeadersStatus MyFilterContext::onRequestHeaders(uint32_t, bool) {
  HeaderStringPairs call = {{":method", "GET"},
                            {":path", root_->path_},
                            {":authority", root_->authority_},
                            {"x-original-path", getRequestHeader(":path")->toString()}};
  const WasmDataPtr authorization = getRequestHeader("authorization");
  if (authorization->size() > 0) call.emplace_back("authorization", authorization->view());

  // The answer comes to the root. By then this request may have been given up, so it is looked up by its id, and made
  // the one that the calls in onAnswer are about.
  const auto on_answer = [id = id()](uint32_t headers, size_t, uint32_t) {
    auto *self = static_cast<MyFilterContext *>(getContext(id));
    if (self == nullptr) return;
    self->setEffectiveContext();
    self->onAnswer(headers > 0);
  };
  if (root_->httpCall(root_->cluster_, call, "", {}, root_->timeout_ms_, on_answer) != WasmResult::Ok) deny();
  return FilterHeadersStatus::StopIteration;  // until onAnswer
}

void MyFilterContext::onAnswer(bool answered) {
  allowed_ = answered && getHeaderMapValue(WasmHeaderMapType::HttpCallResponseHeaders, ":status")->view() == "200";
  if (allowed_) {
    continueRequest();
  } else {
    deny();
  }
}

void MyFilterContext::deny() { sendLocalResponse(403, "denied_by_my_filter", "not authorized\n", {}); }

FilterHeadersStatus MyFilterContext::onResponseHeaders(uint32_t, bool) {
  if (allowed_) addResponseHeader("x-ext-auth", "allowed");
  return FilterHeadersStatus::Continue;
}
