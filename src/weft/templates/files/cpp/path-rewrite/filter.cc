// Rewrites request paths: {"rewrites": [{"regex_match": "/ab.*", "custom_path": "/anything"}]}.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"
#include "weft_regex.h"

// One per worker and config: what all streams share.
class MyFilterRootContext : public RootContext {
 public:
  explicit MyFilterRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}

  bool onConfigure(size_t) override;

  struct Rewrite {
    weft::Regex regex_match;
    std::string custom_path;
  };
  std::vector<Rewrite> rewrites_;
};

// One per request.
class MyFilterContext : public Context {
 public:
  explicit MyFilterContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<MyFilterRootContext *>(root)) {}

  FilterHeadersStatus onRequestHeaders(uint32_t headers, bool end_of_stream) override;
  FilterHeadersStatus onResponseHeaders(uint32_t headers, bool end_of_stream) override;

 private:
  MyFilterRootContext *root_;
  std::string original_path_;  // empty: not rewritten
};

static RegisterContextFactory register_MyFilterContext(CONTEXT_FACTORY(MyFilterContext),
                                                       ROOT_FACTORY(MyFilterRootContext), "my_filter");

// Expressions are compiled here, once, and not for each request. weft::Regex says what is wrong with a bad one, where
// std::regex would take the whole filter down.
bool MyFilterRootContext::onConfigure(size_t) {
  weft::Config config;
  for (auto &rewrite : config.objects("rewrites")) {
    std::string problem;
    std::optional<weft::Regex> regex = weft::Regex::compile(rewrite.requiredString("regex_match"), &problem);
    if (!regex) rewrite.refuse("regex_match", "is not a valid regular expression: " + problem);
    const std::string custom_path = rewrite.string("custom_path");
    if (!weft::isHeaderValue(custom_path)) rewrite.refuse("custom_path", "must be a valid path");
    if (regex && !custom_path.empty()) rewrites_.push_back({std::move(*regex), custom_path});
  }
  return config.accepted();
}

// The first expression that matches the whole path, query included, decides.
FilterHeadersStatus MyFilterContext::onRequestHeaders(uint32_t, bool) {
  const WasmDataPtr path = getRequestHeader(":path");
  for (const auto &rewrite : root_->rewrites_) {
    if (!rewrite.regex_match.matches(path->view())) continue;
    original_path_ = path->toString();
    replaceRequestHeader(":path", rewrite.custom_path);
    replaceRequestHeader("location", "envoy-wasm");
    break;
  }
  return FilterHeadersStatus::Continue;
}

FilterHeadersStatus MyFilterContext::onResponseHeaders(uint32_t, bool) {
  if (!original_path_.empty()) addResponseHeader("x-original-path", original_path_);
  return FilterHeadersStatus::Continue;
}
