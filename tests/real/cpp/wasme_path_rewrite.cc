// A path rewriter as people wrote them with wasme: std::regex, compiled when the filter is configured.
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

class PathRewriteRootContext : public RootContext {
 public:
  explicit PathRewriteRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}

  bool onConfigure(size_t) override {
    auto conf = getConfiguration();
    if (!conf.get()) return true;
    weft::Config config(conf->view());
    for (auto &rewrite : config.objects("rewrites")) {
      rewrites_.push_back({std::regex(rewrite.string("regex_match")), rewrite.string("custom_path")});
    }
    return config.accepted();
  }

  std::vector<std::pair<std::regex, std::string>> rewrites_;
};

class PathRewriteContext : public Context {
 public:
  explicit PathRewriteContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<PathRewriteRootContext *>(static_cast<void *>(root))) {}

  FilterHeadersStatus onRequestHeaders(uint32_t) override {
    auto path = getRequestHeader(":path");
    if (!path.get()) return FilterHeadersStatus::Continue;
    std::string path_string = path->toString();
    for (auto &rewrite : root_->rewrites_) {
      if (std::regex_match(path_string, rewrite.first) && !rewrite.second.empty()) {
        replaceRequestHeader(":path", rewrite.second);
        replaceRequestHeader("location", "envoy-wasm");
        return FilterHeadersStatus::Continue;
      }
    }
    return FilterHeadersStatus::Continue;
  }

 private:
  PathRewriteRootContext *root_;
};

static RegisterContextFactory register_PathRewriteContext(CONTEXT_FACTORY(PathRewriteContext),
                                                          ROOT_FACTORY(PathRewriteRootContext), "add_header_root_id");
