// Counts and times requests in metrics of its own; they show in Envoy's /stats as wasmcustom.<prefix>_...
#include <string>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"

// One per worker and config: what all streams share. The numbers live in Envoy, which adds up all workers.
class MyFilterRootContext : public RootContext {
 public:
  explicit MyFilterRootContext(uint32_t id, StringView root_id) : RootContext(id, root_id) {}

  bool onConfigure(size_t) override;

  uint32_t total_ = 0;
  uint32_t active_ = 0;
  uint32_t duration_ = 0;
};

// One per request.
class MyFilterContext : public Context {
 public:
  explicit MyFilterContext(uint32_t id, RootContext *root)
      : Context(id, root), root_(static_cast<MyFilterRootContext *>(root)) {}

  void onCreate() override;
  FilterHeadersStatus onResponseHeaders(uint32_t headers, bool end_of_stream) override;
  void onDone() override;

 private:
  MyFilterRootContext *root_;
  uint64_t started_ = 0;
};

static RegisterContextFactory register_MyFilterContext(CONTEXT_FACTORY(MyFilterContext),
                                                       ROOT_FACTORY(MyFilterRootContext), "my_filter");

// A metric is looked up by its name once, here; requests use the number that this gave.
bool MyFilterRootContext::onConfigure(size_t) {
  weft::Config config;
  const std::string prefix = config.string("prefix", root_id());
  if (prefix.empty()) config.refuse("prefix", "must not be empty");
  if (!config.accepted()) return false;
  defineMetric(MetricType::Counter, prefix + "_requests_total", &total_);
  defineMetric(MetricType::Gauge, prefix + "_requests_active", &active_);
  defineMetric(MetricType::Histogram, prefix + "_duration_ms", &duration_);
  return true;
}

void MyFilterContext::onCreate() {
  started_ = getCurrentTimeNanoseconds();
  incrementMetric(root_->total_, 1);
  incrementMetric(root_->active_, 1);
}

FilterHeadersStatus MyFilterContext::onResponseHeaders(uint32_t, bool) {
  uint64_t seen = 0;
  getMetric(root_->total_, &seen);
  addResponseHeader("x-requests-seen", std::to_string(seen));
  return FilterHeadersStatus::Continue;
}

void MyFilterContext::onDone() {
  incrementMetric(root_->active_, -1);
  recordMetric(root_->duration_, (getCurrentTimeNanoseconds() - started_) / 1'000'000);
}
