// Write Envoy filters in C++: the proxy-wasm ABI 0.2.1 as classes and functions, in one header.
//
// The names are those of the official proxy-wasm C++ SDK, so its users feel at home; the code is weft's own.
// A filter derives from Context (one object per stream) and, for its configuration, from RootContext (one per
// plugin and worker), overrides the callbacks it cares about, and registers both:
//
//   static RegisterContextFactory registered(CONTEXT_FACTORY(MyContext), ROOT_FACTORY(MyRootContext), "my_root_id");
//
// What to know beyond the names:
//
// * a stream callback that no registered class overrides is not exported, so the proxy never enters the VM for it:
//   a filter pays only for what it listens to (a factory that is not made by CONTEXT_FACTORY exports everything);
// * nothing here throws; a failed check logs at critical level and traps, which the proxy shows as a backtrace;
// * LOG_TRACE, LOG_DEBUG and LOG_INFO evaluate their message only if the proxy listens at that level;
// * -DPROXY_WASM_ABI_0_2_0 or -DPROXY_WASM_ABI_0_1_0 builds for proxies older than ABI 0.2.1.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__wasm__)
#define PROXY_WASM_HOST(symbol) __attribute__((import_module("env"), import_name(#symbol)))
#define PROXY_WASM_EXPORT(symbol) __attribute__((used, export_name(#symbol)))
#else  // an editor or a native unit test reads this header as well
#define PROXY_WASM_HOST(symbol)
#define PROXY_WASM_EXPORT(symbol)
#endif

// For code that exports functions of its own in the official SDK's way.
#define PROXY_WASM_KEEPALIVE __attribute__((used))
#define WASM_EXPORT(_return_type, _function_name, _function_args) \
  extern "C" PROXY_WASM_EXPORT(_function_name) _return_type _function_name _function_args
#define START_WASM_PLUGIN(_x)
#define END_WASM_PLUGIN

using StringView = std::string_view;

// ---------------------------------------------------------------------------------------------- enumerations

enum class WasmResult : uint32_t {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  SerializationFailure = 3,
  ParseFailure = 4,
  BadExpression = 5,
  InvalidMemoryAccess = 6,
  Empty = 7,
  CasMismatch = 8,
  ResultMismatch = 9,
  InternalFailure = 10,
  BrokenConnection = 11,
  Unimplemented = 12,
};

inline std::string toString(WasmResult result) {
  constexpr const char *names[] = {"Ok",           "NotFound",       "BadArgument",         "SerializationFailure",
                                   "ParseFailure", "BadExpression",  "InvalidMemoryAccess", "Empty",
                                   "CasMismatch",  "ResultMismatch", "InternalFailure",     "BrokenConnection",
                                   "Unimplemented"};
  const auto index = static_cast<size_t>(result);
  return index < std::size(names) ? names[index] : "Unknown";
}

enum class LogLevel : int32_t { trace, debug, info, warn, error, critical, Max = critical };

// What a callback answers: go on, or hold the stream until continueRequest() and its kin, or end it.
enum class FilterStatus : int32_t { Continue = 0, StopIteration = 1 };
enum class FilterHeadersStatus : int32_t {
  Continue = 0,
  StopIteration = 1,  // Envoy holds the body back as well
  ContinueAndEndStream = 2,
  StopAllIterationAndBuffer = 3,
  StopAllIterationAndWatermark = 4,
};
enum class FilterMetadataStatus : int32_t { Continue = 0 };
enum class FilterTrailersStatus : int32_t { Continue = 0, StopIteration = 1 };
enum class FilterDataStatus : int32_t {
  Continue = 0,
  StopIterationAndBuffer = 1,     // call me again with all there is so far
  StopIterationAndWatermark = 2,  // as above, and slow the sender down
  StopIterationNoBuffer = 3,      // this piece has been consumed
};

enum class GrpcStatus : int32_t {
  Ok = 0,
  Canceled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
  MaximumValid = Unauthenticated,
  InvalidCode = -1,
};

enum class MetricType : int32_t { Counter = 0, Gauge = 1, Histogram = 2, Max = 2 };
enum class CloseType : int32_t { Unknown = 0, Local = 1, Remote = 2 };

enum class WasmHeaderMapType : int32_t {
  RequestHeaders = 0,
  RequestTrailers = 1,
  ResponseHeaders = 2,
  ResponseTrailers = 3,
  GrpcReceiveInitialMetadata = 4,
  GrpcReceiveTrailingMetadata = 5,
  HttpCallResponseHeaders = 6,
  HttpCallResponseTrailers = 7,
  MAX = 7,
};

enum class WasmBufferType : int32_t {
  HttpRequestBody = 0,
  HttpResponseBody = 1,
  NetworkDownstreamData = 2,
  NetworkUpstreamData = 3,
  HttpCallResponseBody = 4,
  GrpcReceiveBuffer = 5,
  VmConfiguration = 6,
  PluginConfiguration = 7,
  CallData = 8,
  MAX = 8,
};

enum class WasmBufferFlags : int32_t { EndOfStream = 1 };
enum class WasmStreamType : int32_t { Request = 0, Response = 1, Downstream = 2, Upstream = 3, MAX = 3 };

// --------------------------------------------------------------------------------------------- host functions

// The ABI as it is. Values the host returns are allocated with proxy_on_memory_allocate and belong to the caller;
// the functions further down wrap them.
#define PROXY_WASM_CALL(symbol) PROXY_WASM_HOST(symbol) WasmResult symbol
extern "C" {
PROXY_WASM_CALL(proxy_log)(LogLevel level, const char *message, size_t size);
PROXY_WASM_CALL(proxy_get_log_level)(LogLevel *level);
PROXY_WASM_CALL(proxy_get_status)(uint32_t *code, const char **message, size_t *size);
PROXY_WASM_CALL(proxy_set_tick_period_milliseconds)(uint32_t milliseconds);
PROXY_WASM_CALL(proxy_get_current_time_nanoseconds)(uint64_t *nanoseconds);
PROXY_WASM_CALL(proxy_get_property)(const char *path, size_t path_size, const char **value, size_t *value_size);
PROXY_WASM_CALL(proxy_set_property)(const char *path, size_t path_size, const char *value, size_t value_size);
PROXY_WASM_CALL(proxy_continue_stream)(WasmStreamType type);
PROXY_WASM_CALL(proxy_close_stream)(WasmStreamType type);
PROXY_WASM_CALL(proxy_send_local_response)(uint32_t code, const char *details, size_t details_size, const char *body,
                                           size_t body_size, const char *headers, size_t headers_size,
                                           uint32_t grpc_status);
PROXY_WASM_CALL(proxy_get_shared_data)(const char *key, size_t key_size, const char **value, size_t *value_size,
                                       uint32_t *cas);
PROXY_WASM_CALL(proxy_set_shared_data)(const char *key, size_t key_size, const char *value, size_t value_size,
                                       uint32_t cas);
PROXY_WASM_CALL(proxy_register_shared_queue)(const char *name, size_t name_size, uint32_t *token);
PROXY_WASM_CALL(proxy_resolve_shared_queue)(const char *vm_id, size_t vm_id_size, const char *name, size_t name_size,
                                            uint32_t *token);
PROXY_WASM_CALL(proxy_dequeue_shared_queue)(uint32_t token, const char **data, size_t *size);
PROXY_WASM_CALL(proxy_enqueue_shared_queue)(uint32_t token, const char *data, size_t size);
PROXY_WASM_CALL(proxy_add_header_map_value)(WasmHeaderMapType type, const char *key, size_t key_size, const char *value,
                                            size_t value_size);
PROXY_WASM_CALL(proxy_get_header_map_value)(WasmHeaderMapType type, const char *key, size_t key_size,
                                            const char **value, size_t *value_size);
PROXY_WASM_CALL(proxy_replace_header_map_value)(WasmHeaderMapType type, const char *key, size_t key_size,
                                                const char *value, size_t value_size);
PROXY_WASM_CALL(proxy_remove_header_map_value)(WasmHeaderMapType type, const char *key, size_t key_size);
PROXY_WASM_CALL(proxy_get_header_map_pairs)(WasmHeaderMapType type, const char **pairs, size_t *size);
PROXY_WASM_CALL(proxy_set_header_map_pairs)(WasmHeaderMapType type, const char *pairs, size_t size);
PROXY_WASM_CALL(proxy_get_header_map_size)(WasmHeaderMapType type, size_t *size);
PROXY_WASM_CALL(proxy_get_buffer_bytes)(WasmBufferType type, uint32_t start, uint32_t length, const char **data,
                                        size_t *size);
PROXY_WASM_CALL(proxy_get_buffer_status)(WasmBufferType type, size_t *length, uint32_t *flags);
PROXY_WASM_CALL(proxy_set_buffer_bytes)(WasmBufferType type, uint32_t start, uint32_t length, const char *data,
                                        size_t size);
PROXY_WASM_CALL(proxy_http_call)(const char *uri, size_t uri_size, const void *headers, size_t headers_size,
                                 const char *body, size_t body_size, const void *trailers, size_t trailers_size,
                                 uint32_t timeout_milliseconds, uint32_t *token);
PROXY_WASM_CALL(proxy_grpc_call)(const char *service, size_t service_size, const char *service_name,
                                 size_t service_name_size, const char *method, size_t method_size, const void *metadata,
                                 size_t metadata_size, const char *request, size_t request_size,
                                 uint32_t timeout_milliseconds, uint32_t *token);
PROXY_WASM_CALL(proxy_grpc_stream)(const char *service, size_t service_size, const char *service_name,
                                   size_t service_name_size, const char *method, size_t method_size,
                                   const void *metadata, size_t metadata_size, uint32_t *token);
PROXY_WASM_CALL(proxy_grpc_cancel)(uint32_t token);
PROXY_WASM_CALL(proxy_grpc_close)(uint32_t token);
PROXY_WASM_CALL(proxy_grpc_send)(uint32_t token, const char *message, size_t size, uint32_t end_stream);
PROXY_WASM_CALL(proxy_define_metric)(MetricType type, const char *name, size_t size, uint32_t *metric_id);
PROXY_WASM_CALL(proxy_increment_metric)(uint32_t metric_id, int64_t offset);
PROXY_WASM_CALL(proxy_record_metric)(uint32_t metric_id, uint64_t value);
PROXY_WASM_CALL(proxy_get_metric)(uint32_t metric_id, uint64_t *value);
PROXY_WASM_CALL(proxy_set_effective_context)(uint32_t context_id);
PROXY_WASM_CALL(proxy_done)();
PROXY_WASM_CALL(proxy_call_foreign_function)(const char *name, size_t name_size, const char *arguments,
                                             size_t arguments_size, char **results, size_t *results_size);
// Only where the proxy is old enough to speak ABI 0.1.0.
PROXY_WASM_CALL(proxy_continue_request)();
PROXY_WASM_CALL(proxy_continue_response)();
}
#undef PROXY_WASM_CALL

// ---------------------------------------------------------------------------------------------------- logging

inline WasmResult logTrace(std::string_view message) {
  return proxy_log(LogLevel::trace, message.data(), message.size());
}
inline WasmResult logDebug(std::string_view message) {
  return proxy_log(LogLevel::debug, message.data(), message.size());
}
inline WasmResult logInfo(std::string_view message) {
  return proxy_log(LogLevel::info, message.data(), message.size());
}
inline WasmResult logWarn(std::string_view message) {
  return proxy_log(LogLevel::warn, message.data(), message.size());
}
inline WasmResult logError(std::string_view message) {
  return proxy_log(LogLevel::error, message.data(), message.size());
}
inline WasmResult logCritical(std::string_view message) {
  return proxy_log(LogLevel::critical, message.data(), message.size());
}

// Say why, then trap: the proxy fails the stream and prints a backtrace.
[[noreturn]] inline void logAbort(std::string_view message) {
  logCritical(message);
  __builtin_trap();
}

#define CHECK_RESULT(_c)                                  \
  do {                                                    \
    if ((_c) != WasmResult::Ok) logAbort("not Ok: " #_c); \
  } while (0)

namespace proxy_wasm_detail {

// LogLevel by the names of the LOG_* macros.
struct Level {
  static constexpr LogLevel Trace = LogLevel::trace, Debug = LogLevel::debug, Info = LogLevel::info,
                            Warn = LogLevel::warn, Error = LogLevel::error, Critical = LogLevel::critical;
};

// Asking costs one host call; building a message nobody reads costs more.
inline bool listens(LogLevel level) {
#if defined(PROXY_WASM_ABI_0_1_0) || defined(PROXY_WASM_ABI_0_2_0)
  (void)level;
  return true;
#else
  LogLevel lowest;
  return level >= LogLevel::warn || proxy_get_log_level(&lowest) != WasmResult::Ok || level >= lowest;
#endif
}

}  // namespace proxy_wasm_detail

#define PROXY_WASM_TEXT_(_x) #_x
#define PROXY_WASM_TEXT(_x) PROXY_WASM_TEXT_(_x)

// Log with the place in the source. The message may be any expression that can stand after `std::string +`.
#define LOG(_level, ...)                                                                                           \
  do {                                                                                                             \
    if (proxy_wasm_detail::listens(proxy_wasm_detail::Level::_level)) {                                            \
      log##_level(std::string("[" __FILE__ ":" PROXY_WASM_TEXT(__LINE__) "]::") + __func__ + "() " + __VA_ARGS__); \
    }                                                                                                              \
  } while (0)
#define LOG_TRACE(...) LOG(Trace, __VA_ARGS__)
#define LOG_DEBUG(...) LOG(Debug, __VA_ARGS__)
#define LOG_INFO(...) LOG(Info, __VA_ARGS__)
#define LOG_WARN(...) LOG(Warn, __VA_ARGS__)
#define LOG_ERROR(...) LOG(Error, __VA_ARGS__)
#define LOG_CRITICAL(...) LOG(Critical, __VA_ARGS__)

#if defined(__wasm__) && defined(_LIBCPP_VERSION)
// libc++ ends here when it would have thrown (std::vector::at and the like). Its own version prints to stderr and
// drags all of printf in; this one tells the proxy's log. Formats other than %s are shown as they are.
__attribute__((weak)) void std::__libcpp_verbose_abort(const char *format, ...) noexcept {
  std::string message;
  va_list arguments;
  va_start(arguments, format);
  for (const char *c = format; *c; ++c) {
    if (c[0] == '%' && c[1] == 's') {
      message += va_arg(arguments, const char *);
      ++c;
    } else {
      message += *c;
    }
  }
  va_end(arguments);
  logAbort(message);
}
#endif

// ------------------------------------------------------------------------------------------------ data and pairs

// Bytes the host handed over; freed with this object.
class WasmData {
 public:
  WasmData(const char *data, size_t size) : data_(data), size_(size) {}
  ~WasmData() { ::free(const_cast<char *>(data_)); }
  WasmData(const WasmData &) = delete;
  WasmData &operator=(const WasmData &) = delete;

  const char *data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  std::string toString() const { return std::string(view()); }

  // A header map's names and values; they point into this object.
  std::vector<std::pair<std::string_view, std::string_view>> pairs() const;

  // A protobuf message, for projects that bring a protobuf runtime.
  template <typename T>
  T proto() const {
    T message;
    message.ParseFromArray(data_, size_);
    return message;
  }

 private:
  const char *data_;
  size_t size_;
};

using WasmDataPtr = std::unique_ptr<WasmData>;
using HeaderStringPairs = std::vector<std::pair<std::string, std::string>>;

// On the wire a header map is: count, then (name size, value size) for each, then name, NUL, value, NUL for each.
inline std::vector<std::pair<std::string_view, std::string_view>> WasmData::pairs() const {
  std::vector<std::pair<std::string_view, std::string_view>> result;
  if (size_ < sizeof(uint32_t)) return result;
  const char *sizes = data_;
  const auto next_size = [&sizes] {
    uint32_t size;
    memcpy(&size, sizes, sizeof size);
    sizes += sizeof size;
    return size;
  };
  const uint32_t count = next_size();
  const char *text = sizes + 2 * sizeof(uint32_t) * count;
  const auto next_text = [&] {
    const uint32_t size = next_size();
    const std::string_view view(text, size);
    text += size + 1;
    return view;
  };
  result.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const auto name = next_text();
    result.emplace_back(name, next_text());
  }
  return result;
}

// Bytes `pairs` takes on the wire. Pairs is any container of pairs of strings or views.
template <typename Pairs>
size_t pairsSize(const Pairs &pairs) {
  size_t size = sizeof(uint32_t);
  for (const auto &[name, value] : pairs) size += 2 * sizeof(uint32_t) + name.size() + 1 + value.size() + 1;
  return size;
}

// Writes `pairs` to `buffer`, which holds pairsSize(pairs) bytes.
template <typename Pairs>
void marshalPairs(const Pairs &pairs, char *buffer) {
  const auto put_size = [&buffer](size_t size) {
    const auto word = static_cast<uint32_t>(size);
    memcpy(buffer, &word, sizeof word);
    buffer += sizeof word;
  };
  const auto put_text = [&buffer](std::string_view text) {
    memcpy(buffer, text.data(), text.size());
    buffer += text.size();
    *buffer++ = '\0';
  };
  put_size(pairs.size());
  for (const auto &[name, value] : pairs) {
    put_size(name.size());
    put_size(value.size());
  }
  for (const auto &[name, value] : pairs) {
    put_text(name);
    put_text(value);
  }
}

// Writes `pairs` to new memory that the caller frees; nullptr and 0 for none.
template <typename Pairs>
void exportPairs(const Pairs &pairs, const char **data, size_t *size) {
  *size = pairs.empty() ? 0 : pairsSize(pairs);
  *data = nullptr;
  if (*size == 0) return;
  char *buffer = static_cast<char *>(::malloc(*size));
  marshalPairs(pairs, buffer);
  *data = buffer;
}

namespace proxy_wasm_detail {

// Pairs on the wire, for as long as a host call lasts.
class Wire {
 public:
  explicit Wire(const HeaderStringPairs &pairs) { exportPairs(pairs, &data_, &size_); }
  ~Wire() { ::free(const_cast<char *>(data_)); }
  Wire(const Wire &) = delete;
  Wire &operator=(const Wire &) = delete;
  const char *data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const char *data_;
  size_t size_;
};

}  // namespace proxy_wasm_detail

// --------------------------------------------------------------------------------------------------- contexts

class Context;
class RootContext;

namespace proxy_wasm_detail {
struct Host;
struct LiveGrpcCalls;
struct Registration;
}  // namespace proxy_wasm_detail

// What streams and plugins have in common.
class ContextBase {
 public:
  using HttpCallCallback = std::function<void(uint32_t headers, size_t body_size, uint32_t trailers)>;
  using GrpcSimpleCallCallback = std::function<void(GrpcStatus status, size_t body_size)>;

  explicit ContextBase(uint32_t id) : id_(id) {}
  virtual ~ContextBase() = default;
  ContextBase(const ContextBase &) = delete;
  ContextBase &operator=(const ContextBase &) = delete;

  uint32_t id() const { return id_; }

  // Host calls from now on are about this context. Needed in a callback of the root that acts on a stream.
  WasmResult setEffectiveContext() { return proxy_set_effective_context(id_); }

  WasmResult getLogLevel(LogLevel *level) { return proxy_get_log_level(level); }

  virtual RootContext *asRoot() { return nullptr; }
  virtual Context *asContext() { return nullptr; }

  virtual void onCreate() {}
  virtual bool onDoneBase() = 0;
  virtual void onLog() {}     // in Envoy before onDone of an HTTP stream, after that of a TCP one
  virtual void onDelete() {}  // the last callback
  virtual void onForeignFunction(uint32_t /*function_id*/, uint32_t /*data_size*/) {}

 private:
  const uint32_t id_;
};

// Receives the answer of a unary gRPC call; given to RootContext::grpcCallHandler.
class GrpcCallHandlerBase {
 public:
  virtual ~GrpcCallHandlerBase() = default;
  virtual void onSuccess(size_t body_size) = 0;  // the body is in WasmBufferType::GrpcReceiveBuffer
  virtual void onFailure(GrpcStatus status) = 0;

  RootContext *context() const { return context_; }
  uint32_t token() const { return token_; }
  void cancel();  // no callback follows

 private:
  friend class RootContext;
  RootContext *context_ = nullptr;
  uint32_t token_ = 0;
};

template <typename Message>
class GrpcCallHandler : public GrpcCallHandlerBase {};

// Receives what a gRPC stream brings; given to RootContext::grpcStreamHandler.
class GrpcStreamHandlerBase {
 public:
  virtual ~GrpcStreamHandlerBase() = default;
  virtual void onReceiveInitialMetadata(uint32_t /*headers*/) {}
  virtual void onReceiveTrailingMetadata(uint32_t /*trailers*/) {}
  virtual void onReceive(size_t body_size) = 0;
  virtual void onRemoteClose(GrpcStatus status) = 0;

  RootContext *context() const { return context_; }
  uint32_t token() const { return token_; }
  WasmResult send(std::string_view message, bool end_of_stream);
  void close();  // our half; callbacks may follow until the other side closes too
  void reset();  // both halves; no callback follows

 private:
  friend class RootContext;
  friend struct proxy_wasm_detail::LiveGrpcCalls;
  void remoteClosed(GrpcStatus status);
  void halfClosed(bool *half);

  RootContext *context_ = nullptr;
  uint32_t token_ = 0;
  bool closed_here_ = false;
  bool closed_there_ = false;
};

template <typename Request, typename Response>
class GrpcStreamHandler : public GrpcStreamHandlerBase {
 public:
  WasmResult send(const Request &message, bool end_of_stream) {
    std::string bytes;
    if (!message.SerializeToString(&bytes)) return WasmResult::SerializationFailure;
    return GrpcStreamHandlerBase::send(bytes, end_of_stream);
  }
};

namespace proxy_wasm_detail {

// Calls in flight of one root. Abstract here and filled in by the first call made, so that a filter that makes none
// carries no code for them.
struct HttpCalls {
  virtual ~HttpCalls() = default;
  virtual void answered(uint32_t token, uint32_t headers, size_t body_size, uint32_t trailers) = 0;
};

struct GrpcCall {
  uint32_t token = 0;
  ContextBase::GrpcSimpleCallCallback callback{};
  std::shared_ptr<GrpcCallHandlerBase> unary{};
  std::shared_ptr<GrpcStreamHandlerBase> stream{};
};

struct GrpcCalls {
  virtual ~GrpcCalls() = default;
  virtual void add(GrpcCall call) = 0;
  virtual void forget(uint32_t token) = 0;
  virtual void initialMetadata(uint32_t token, uint32_t headers) = 0;
  virtual void trailingMetadata(uint32_t token, uint32_t trailers) = 0;
  virtual void received(uint32_t token, size_t body_size) = 0;
  virtual void closed(uint32_t token, GrpcStatus status) = 0;
};

}  // namespace proxy_wasm_detail

// A plugin: its configuration, its timers, its calls to others. Lives as long as the configuration is in force.
class RootContext : public ContextBase {
 public:
  RootContext(uint32_t id, std::string_view root_id) : ContextBase(id), root_id_(root_id) {}

  std::string_view root_id() const { return root_id_; }

  RootContext *asRoot() final { return this; }

  virtual bool validateConfiguration(size_t /*configuration_size*/) { return true; }
  virtual bool onStart(size_t /*vm_configuration_size*/) { return true; }
  virtual bool onConfigure(size_t /*configuration_size*/) { return true; }  // false: the proxy refuses the config
  virtual void onTick() {}
  virtual void onQueueReady(uint32_t /*token*/) {}
  virtual bool onDone() { return true; }  // false: not yet, done() will be called
  void done() { proxy_done(); }

  // Answers to makeHttpCall, grpcCall and grpcStream. Overriding one of them takes the answers away from the
  // callbacks and handlers of the functions below.
  virtual void onHttpCallResponse(uint32_t token, uint32_t headers, size_t body_size, uint32_t trailers) {
    if (http_calls_) http_calls_->answered(token, headers, body_size, trailers);
  }
  virtual void onGrpcReceiveInitialMetadata(uint32_t token, uint32_t headers) {
    if (grpc_calls_) grpc_calls_->initialMetadata(token, headers);
  }
  virtual void onGrpcReceiveTrailingMetadata(uint32_t token, uint32_t trailers) {
    if (grpc_calls_) grpc_calls_->trailingMetadata(token, trailers);
  }
  virtual void onGrpcReceive(uint32_t token, size_t body_size) {
    if (grpc_calls_) grpc_calls_->received(token, body_size);
  }
  virtual void onGrpcClose(uint32_t token, GrpcStatus status) {
    if (grpc_calls_) grpc_calls_->closed(token, status);
  }

  // Call the cluster `uri`. The callback runs in the root's context: to act on a stream, find it with getContext(id),
  // which is nullptr when the stream has gone, and make it the effective one. A call that failed gets 0 headers, or the
  // 503 or 504 that Envoy answers in the upstream's stead.
  WasmResult httpCall(std::string_view uri, const HeaderStringPairs &request_headers, std::string_view request_body,
                      const HeaderStringPairs &request_trailers, uint32_t timeout_milliseconds,
                      HttpCallCallback callback);

  // `service` is a serialized envoy.config.core.v3.GrpcService, or the name of a cluster.
  WasmResult grpcSimpleCall(std::string_view service, std::string_view service_name, std::string_view method_name,
                            const HeaderStringPairs &initial_metadata, std::string_view request,
                            uint32_t timeout_milliseconds, GrpcSimpleCallCallback callback);
  WasmResult grpcSimpleCall(std::string_view service, std::string_view service_name, std::string_view method_name,
                            const HeaderStringPairs &initial_metadata, std::string_view request,
                            uint32_t timeout_milliseconds, std::function<void(size_t body_size)> on_success,
                            std::function<void(GrpcStatus status)> on_failure);
  WasmResult grpcCallHandler(std::string_view service, std::string_view service_name, std::string_view method_name,
                             const HeaderStringPairs &initial_metadata, std::string_view request,
                             uint32_t timeout_milliseconds, std::unique_ptr<GrpcCallHandlerBase> handler);
  WasmResult grpcStreamHandler(std::string_view service, std::string_view service_name, std::string_view method_name,
                               const HeaderStringPairs &initial_metadata,
                               std::unique_ptr<GrpcStreamHandlerBase> handler);

 private:
  friend class GrpcCallHandlerBase;
  friend class GrpcStreamHandlerBase;
  friend struct proxy_wasm_detail::Host;

  bool onDoneBase() final { return onDone(); }
  proxy_wasm_detail::GrpcCalls &grpcCalls();

  const std::string root_id_;
  const proxy_wasm_detail::Registration *registration_ = nullptr;
  std::unique_ptr<proxy_wasm_detail::HttpCalls> http_calls_;
  std::unique_ptr<proxy_wasm_detail::GrpcCalls> grpc_calls_;
};

// A stream: one HTTP exchange or one TCP connection.
class Context : public ContextBase {
 public:
  Context(uint32_t id, RootContext *root) : ContextBase(id), root_(root) {}

  RootContext *root() const { return root_; }

  Context *asContext() final { return this; }

  // TCP
  virtual FilterStatus onNewConnection() { return FilterStatus::Continue; }
  virtual FilterStatus onDownstreamData(size_t /*size*/, bool /*end_of_stream*/) { return FilterStatus::Continue; }
  virtual FilterStatus onUpstreamData(size_t /*size*/, bool /*end_of_stream*/) { return FilterStatus::Continue; }
  virtual void onDownstreamConnectionClose(CloseType) {}
  virtual void onUpstreamConnectionClose(CloseType) {}

  // HTTP. Filters written for ABI 0.1.0 override the forms without end_of_stream.
  virtual FilterHeadersStatus onRequestHeaders(uint32_t headers, bool /*end_of_stream*/) {
    return onRequestHeaders(headers);
  }
  virtual FilterHeadersStatus onRequestHeaders(uint32_t /*headers*/) { return FilterHeadersStatus::Continue; }
  virtual FilterMetadataStatus onRequestMetadata(uint32_t /*elements*/) { return FilterMetadataStatus::Continue; }
  virtual FilterDataStatus onRequestBody(size_t /*size*/, bool /*end_of_stream*/) { return FilterDataStatus::Continue; }
  virtual FilterTrailersStatus onRequestTrailers(uint32_t /*trailers*/) { return FilterTrailersStatus::Continue; }
  virtual FilterHeadersStatus onResponseHeaders(uint32_t headers, bool /*end_of_stream*/) {
    return onResponseHeaders(headers);
  }
  virtual FilterHeadersStatus onResponseHeaders(uint32_t /*headers*/) { return FilterHeadersStatus::Continue; }
  virtual FilterMetadataStatus onResponseMetadata(uint32_t /*elements*/) { return FilterMetadataStatus::Continue; }
  virtual FilterDataStatus onResponseBody(size_t /*size*/, bool /*end_of_stream*/) {
    return FilterDataStatus::Continue;
  }
  virtual FilterTrailersStatus onResponseTrailers(uint32_t /*trailers*/) { return FilterTrailersStatus::Continue; }

  virtual void onDone() {}

 private:
  bool onDoneBase() final {
    onDone();
    return true;
  }

  RootContext *const root_;
};

// --------------------------------------------------------------------------------------- which contexts there are

namespace proxy_wasm_detail {

// Context id → object, open addressing. Ids come from a counter, so they land side by side and the first look hits.
class Contexts {
 public:
  ContextBase *find(uint32_t id) const {
    if (slots_ == nullptr) return nullptr;
    return slots_[slotOf(id)].context;
  }

  void put(uint32_t id, std::unique_ptr<ContextBase> context) {
    if (2 * (count_ + 1) > capacity_) grow();
    slots_[slotOf(id)] = {id, context.release()};
    ++count_;
  }

  std::unique_ptr<ContextBase> take(uint32_t id) {
    uint32_t hole = slotOf(id);
    std::unique_ptr<ContextBase> taken(slots_[hole].context);
    if (!taken) return nullptr;
    --count_;
    // Close the gap: move back whoever would no longer be found across it.
    for (uint32_t next = after(hole); slots_[next].context != nullptr; next = after(next)) {
      const uint32_t home = slots_[next].id & (capacity_ - 1);
      if (((next - home) & (capacity_ - 1)) >= ((next - hole) & (capacity_ - 1))) {
        slots_[hole] = slots_[next];
        hole = next;
      }
    }
    slots_[hole] = {0, nullptr};
    return taken;
  }

  template <typename F>
  ContextBase *any(F matches) const {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (slots_[i].context != nullptr && matches(slots_[i].context)) return slots_[i].context;
    }
    return nullptr;
  }

 private:
  struct Slot {
    uint32_t id;
    ContextBase *context;
  };

  uint32_t after(uint32_t slot) const { return (slot + 1) & (capacity_ - 1); }

  // Where `id` is, or the empty slot where it would go.
  uint32_t slotOf(uint32_t id) const {
    uint32_t slot = id & (capacity_ - 1);
    while (slots_[slot].id != id && slots_[slot].context != nullptr) slot = after(slot);
    return slot;
  }

  void grow() {
    const Contexts old = *this;
    capacity_ = capacity_ == 0 ? 64 : 2 * capacity_;
    slots_ = static_cast<Slot *>(::calloc(capacity_, sizeof(Slot)));
    for (uint32_t i = 0; i < old.capacity_; ++i) {
      if (old.slots_[i].context != nullptr) slots_[slotOf(old.slots_[i].id)] = old.slots_[i];
    }
    ::free(old.slots_);
  }

  Slot *slots_ = nullptr;
  uint32_t capacity_ = 0;  // a power of two
  uint32_t count_ = 0;
};

inline constinit Contexts contexts;

}  // namespace proxy_wasm_detail

// The context with this id, or nullptr when there is none (any more) of that kind.
inline ContextBase *getContextBase(uint32_t context_id) { return proxy_wasm_detail::contexts.find(context_id); }
inline Context *getContext(uint32_t context_id) {
  ContextBase *context = getContextBase(context_id);
  return context == nullptr ? nullptr : context->asContext();
}
inline RootContext *getRootContext(uint32_t context_id) {
  ContextBase *context = getContextBase(context_id);
  return context == nullptr ? nullptr : context->asRoot();
}
inline RootContext *getRoot(std::string_view root_id) {
  ContextBase *context = proxy_wasm_detail::contexts.any([root_id](ContextBase *candidate) {
    RootContext *root = candidate->asRoot();
    return root != nullptr && root->root_id() == root_id;
  });
  return context == nullptr ? nullptr : context->asRoot();
}

// ------------------------------------------------------------------------------- headers, trailers, bodies, buffers

inline WasmResult addHeaderMapValue(WasmHeaderMapType type, std::string_view key, std::string_view value) {
  return proxy_add_header_map_value(type, key.data(), key.size(), value.data(), value.size());
}
inline WasmResult replaceHeaderMapValue(WasmHeaderMapType type, std::string_view key, std::string_view value) {
  return proxy_replace_header_map_value(type, key.data(), key.size(), value.data(), value.size());
}
inline WasmResult removeHeaderMapValue(WasmHeaderMapType type, std::string_view key) {
  return proxy_remove_header_map_value(type, key.data(), key.size());
}
// Never nullptr: a header that is not there gives empty data, and data() == nullptr tells it from an empty one.
inline WasmDataPtr getHeaderMapValue(WasmHeaderMapType type, std::string_view key) {
  const char *data = nullptr;
  size_t size = 0;
  proxy_get_header_map_value(type, key.data(), key.size(), &data, &size);
  return std::make_unique<WasmData>(data, size);
}
inline WasmDataPtr getHeaderMapPairs(WasmHeaderMapType type) {
  const char *data = nullptr;
  size_t size = 0;
  proxy_get_header_map_pairs(type, &data, &size);
  return std::make_unique<WasmData>(data, size);
}
inline WasmResult setHeaderMapPairs(WasmHeaderMapType type, const HeaderStringPairs &pairs) {
  const proxy_wasm_detail::Wire wire(pairs);
  return proxy_set_header_map_pairs(type, wire.data(), wire.size());
}
inline WasmResult getHeaderMapSize(WasmHeaderMapType type, size_t *size) {
  return proxy_get_header_map_size(type, size);
}

// addRequestHeader, getRequestHeader, replaceRequestHeader, removeRequestHeader, getRequestHeaderPairs,
// setRequestHeaderPairs, getRequestHeaderSize; the same for RequestTrailer, ResponseHeader and ResponseTrailer.
// Setting all request headers must keep x-forwarded-proto: Envoy finds no route without it.
#define PROXY_WASM_HEADER_MAP(Name, map)                                                                             \
  inline WasmResult add##Name(std::string_view key, std::string_view value) {                                        \
    return addHeaderMapValue(WasmHeaderMapType::map, key, value);                                                    \
  }                                                                                                                  \
  inline WasmDataPtr get##Name(std::string_view key) { return getHeaderMapValue(WasmHeaderMapType::map, key); }      \
  inline WasmResult replace##Name(std::string_view key, std::string_view value) {                                    \
    return replaceHeaderMapValue(WasmHeaderMapType::map, key, value);                                                \
  }                                                                                                                  \
  inline WasmResult remove##Name(std::string_view key) { return removeHeaderMapValue(WasmHeaderMapType::map, key); } \
  inline WasmDataPtr get##Name##Pairs() { return getHeaderMapPairs(WasmHeaderMapType::map); }                        \
  inline WasmResult set##Name##Pairs(const HeaderStringPairs &pairs) {                                               \
    return setHeaderMapPairs(WasmHeaderMapType::map, pairs);                                                         \
  }                                                                                                                  \
  inline WasmResult get##Name##Size(size_t *size) { return getHeaderMapSize(WasmHeaderMapType::map, size); }
PROXY_WASM_HEADER_MAP(RequestHeader, RequestHeaders)
PROXY_WASM_HEADER_MAP(RequestTrailer, RequestTrailers)
PROXY_WASM_HEADER_MAP(ResponseHeader, ResponseHeaders)
PROXY_WASM_HEADER_MAP(ResponseTrailer, ResponseTrailers)
#undef PROXY_WASM_HEADER_MAP

inline WasmDataPtr getBufferBytes(WasmBufferType type, size_t start, size_t length) {
  const char *data = nullptr;
  size_t size = 0;
  proxy_get_buffer_bytes(type, start, length, &data, &size);
  return std::make_unique<WasmData>(data, size);
}
inline WasmResult getBufferStatus(WasmBufferType type, size_t *size, uint32_t *flags) {
  return proxy_get_buffer_status(type, size, flags);
}
// Puts `data` where `length` bytes were from `start` on. Envoy can put it before or after all there is, or instead of
// all there is, and nowhere between. `new_size`, when given, holds the size before and gets the size after.
inline WasmResult setBuffer(WasmBufferType type, size_t start, size_t length, std::string_view data,
                            size_t *new_size = nullptr) {
  const WasmResult result = proxy_set_buffer_bytes(type, start, length, data.data(), data.size());
  if (result == WasmResult::Ok && new_size != nullptr) *new_size += data.size() - length;
  return result;
}

// The configuration at hand: the plugin's in onConfigure, the VM's in onStart.
inline WasmDataPtr getConfiguration() {
  constexpr size_t all = UINT32_MAX;
  const char *data = nullptr;
  size_t size = 0;
  if (proxy_get_buffer_bytes(WasmBufferType::PluginConfiguration, 0, all, &data, &size) != WasmResult::Ok) {
    proxy_get_buffer_bytes(WasmBufferType::VmConfiguration, 0, all, &data, &size);
  }
  return std::make_unique<WasmData>(data, size);
}

// -------------------------------------------------------------------------------------------- steering a stream

#if defined(PROXY_WASM_ABI_0_1_0)
inline WasmResult continueRequest() { return proxy_continue_request(); }
inline WasmResult continueResponse() { return proxy_continue_response(); }
#else
inline WasmResult continueRequest() { return proxy_continue_stream(WasmStreamType::Request); }
inline WasmResult continueResponse() { return proxy_continue_stream(WasmStreamType::Response); }
#endif
inline WasmResult continueDownstream() { return proxy_continue_stream(WasmStreamType::Downstream); }
inline WasmResult continueUpstream() { return proxy_continue_stream(WasmStreamType::Upstream); }
inline WasmResult closeRequest() { return proxy_close_stream(WasmStreamType::Request); }
inline WasmResult closeResponse() { return proxy_close_stream(WasmStreamType::Response); }
inline WasmResult closeDownstream() { return proxy_close_stream(WasmStreamType::Downstream); }
inline WasmResult closeUpstream() { return proxy_close_stream(WasmStreamType::Upstream); }

// Answer the request here and now; from a callback that can hold the stream, return StopIteration afterwards.
inline WasmResult sendLocalResponse(uint32_t response_code, std::string_view response_code_details,
                                    std::string_view body, const HeaderStringPairs &additional_response_headers,
                                    GrpcStatus grpc_status = GrpcStatus::InvalidCode) {
  const proxy_wasm_detail::Wire headers(additional_response_headers);
  return proxy_send_local_response(response_code, response_code_details.data(), response_code_details.size(),
                                   body.data(), body.size(), headers.data(), headers.size(),
                                   static_cast<uint32_t>(grpc_status));
}

// ------------------------------------------------------------------------------------------- time and properties

inline uint64_t getCurrentTimeNanoseconds() {
  uint64_t nanoseconds = 0;
  CHECK_RESULT(proxy_get_current_time_nanoseconds(&nanoseconds));
  return nanoseconds;
}

// onTick of the root every so many milliseconds; 0 stops it.
inline WasmResult setTickPeriod(uint32_t milliseconds) { return proxy_set_tick_period_milliseconds(milliseconds); }

namespace proxy_wasm_detail {

template <typename Parts>
std::optional<WasmDataPtr> property(const Parts &parts) {
  std::string path;
  for (std::string_view part : parts) {
    path += part;
    path += '\0';
  }
  const char *data = nullptr;
  size_t size = 0;
  if (proxy_get_property(path.data(), path.size(), &data, &size) != WasmResult::Ok) return std::nullopt;
  return std::make_unique<WasmData>(data, size);
}

template <typename T>
bool unpack(const std::optional<WasmDataPtr> &data, T *out) {
  if (!data) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    out->assign((*data)->view());
  } else {
    static_assert(std::is_trivially_copyable_v<T>, "a property is a string, a number or a bool");
    if ((*data)->size() != sizeof(T)) return false;
    memcpy(out, (*data)->data(), sizeof(T));
  }
  return true;
}

template <typename T>
bool unpackMessage(const std::optional<WasmDataPtr> &data, T *out) {
  return data && ((*data)->size() == 0 || out->ParseFromArray((*data)->data(), (*data)->size()));
}

}  // namespace proxy_wasm_detail

// A property of the stream or plugin by its path: getProperty({"request", "path"}).
inline std::optional<WasmDataPtr> getProperty(const std::initializer_list<std::string_view> &parts) {
  return proxy_wasm_detail::property(parts);
}
template <typename S>
std::optional<WasmDataPtr> getProperty(const std::vector<S> &parts) {
  return proxy_wasm_detail::property(parts);
}

// The same as a value: int64_t (also for times and durations, in nanoseconds), uint64_t, double, bool, std::string.
// False when there is none or it has another size.
template <typename T>
bool getValue(const std::initializer_list<std::string_view> &parts, T *out) {
  return proxy_wasm_detail::unpack(proxy_wasm_detail::property(parts), out);
}
template <typename S, typename T>
bool getValue(const std::vector<S> &parts, T *out) {
  return proxy_wasm_detail::unpack(proxy_wasm_detail::property(parts), out);
}

// The same as a protobuf message.
template <typename T>
bool getMessageValue(const std::initializer_list<std::string_view> &parts, T *out) {
  return proxy_wasm_detail::unpackMessage(proxy_wasm_detail::property(parts), out);
}
template <typename S, typename T>
bool getMessageValue(const std::vector<S> &parts, T *out) {
  return proxy_wasm_detail::unpackMessage(proxy_wasm_detail::property(parts), out);
}

// Visible to other filters of the stream and to access logs as wasm.<key>.
inline WasmResult setFilterState(std::string_view key, std::string_view value) {
  return proxy_set_property(key.data(), key.size(), value.data(), value.size());
}
inline WasmResult setFilterStateStringValue(std::string_view key, std::string_view value) {
  return setFilterState(key, value);
}

// ------------------------------------------------------------------------- between VMs: shared data, queues, host

// `cas` is the version read; setSharedData with it fails with CasMismatch when somebody wrote in between.
inline WasmResult getSharedData(std::string_view key, WasmDataPtr *value, uint32_t *cas = nullptr) {
  const char *data = nullptr;
  size_t size = 0;
  uint32_t unused = 0;
  const WasmResult result = proxy_get_shared_data(key.data(), key.size(), &data, &size, cas != nullptr ? cas : &unused);
  if (result == WasmResult::Ok) *value = std::make_unique<WasmData>(data, size);
  return result;
}
inline WasmResult setSharedData(std::string_view key, std::string_view value, uint32_t cas = 0) {
  return proxy_set_shared_data(key.data(), key.size(), value.data(), value.size(), cas);
}
inline WasmDataPtr getSharedDataValue(std::string_view key, uint32_t *cas = nullptr) {
  WasmDataPtr value;
  const WasmResult result = getSharedData(key, &value, cas);
  if (result != WasmResult::Ok) logAbort("no shared data for " + std::string(key) + ": " + toString(result));
  return value;
}

inline WasmResult registerSharedQueue(std::string_view queue_name, uint32_t *token) {
  return proxy_register_shared_queue(queue_name.data(), queue_name.size(), token);
}
inline WasmResult resolveSharedQueue(std::string_view vm_id, std::string_view queue_name, uint32_t *token) {
  return proxy_resolve_shared_queue(vm_id.data(), vm_id.size(), queue_name.data(), queue_name.size(), token);
}
inline WasmResult enqueueSharedQueue(uint32_t token, std::string_view data) {
  return proxy_enqueue_shared_queue(token, data.data(), data.size());
}
inline WasmResult dequeueSharedQueue(uint32_t token, WasmDataPtr *data) {
  const char *bytes = nullptr;
  size_t size = 0;
  const WasmResult result = proxy_dequeue_shared_queue(token, &bytes, &size);
  *data = std::make_unique<WasmData>(bytes, size);
  return result;
}

// A function the host offers by name; its answer, if wanted, in `result`.
inline WasmResult callForeignFunction(std::string_view name, std::string_view arguments,
                                      WasmDataPtr *result = nullptr) {
  char *data = nullptr;
  size_t size = 0;
  const WasmResult status =
      proxy_call_foreign_function(name.data(), name.size(), arguments.data(), arguments.size(), &data, &size);
  auto answer = std::make_unique<WasmData>(data, size);
  if (result != nullptr) *result = std::move(answer);
  return status;
}

// --------------------------------------------------------------------------------------------- calls to others

// Code and message of the call whose answer is being handled.
inline std::pair<uint32_t, WasmDataPtr> getStatus() {
  uint32_t code = 0;
  const char *message = nullptr;
  size_t size = 0;
  CHECK_RESULT(proxy_get_status(&code, &message, &size));
  return {code, std::make_unique<WasmData>(message, size)};
}

// The answer comes to RootContext::onHttpCallResponse with this token. RootContext::httpCall is easier.
inline WasmResult makeHttpCall(std::string_view uri, const HeaderStringPairs &request_headers,
                               std::string_view request_body, const HeaderStringPairs &request_trailers,
                               uint32_t timeout_milliseconds, uint32_t *token) {
  const proxy_wasm_detail::Wire headers(request_headers), trailers(request_trailers);
  return proxy_http_call(uri.data(), uri.size(), headers.data(), headers.size(), request_body.data(),
                         request_body.size(), trailers.data(), trailers.size(), timeout_milliseconds, token);
}

// An empty service takes Envoy 1.40 down with all its streams: it is refused here.
inline WasmResult grpcCall(std::string_view service, std::string_view service_name, std::string_view method_name,
                           const HeaderStringPairs &initial_metadata, std::string_view request,
                           uint32_t timeout_milliseconds, uint32_t *token) {
  if (service.empty()) return WasmResult::ParseFailure;
  const proxy_wasm_detail::Wire metadata(initial_metadata);
  return proxy_grpc_call(service.data(), service.size(), service_name.data(), service_name.size(), method_name.data(),
                         method_name.size(), metadata.data(), metadata.size(), request.data(), request.size(),
                         timeout_milliseconds, token);
}
inline WasmResult grpcStream(std::string_view service, std::string_view service_name, std::string_view method_name,
                             const HeaderStringPairs &initial_metadata, uint32_t *token) {
  if (service.empty()) return WasmResult::ParseFailure;
  const proxy_wasm_detail::Wire metadata(initial_metadata);
  return proxy_grpc_stream(service.data(), service.size(), service_name.data(), service_name.size(), method_name.data(),
                           method_name.size(), metadata.data(), metadata.size(), token);
}
inline WasmResult grpcCancel(uint32_t token) { return proxy_grpc_cancel(token); }
inline WasmResult grpcClose(uint32_t token) { return proxy_grpc_close(token); }
inline WasmResult grpcSend(uint32_t token, std::string_view message, bool end_stream) {
  return proxy_grpc_send(token, message.data(), message.size(), end_stream ? 1 : 0);
}

namespace proxy_wasm_detail {

struct LiveHttpCalls final : HttpCalls {
  void answered(uint32_t token, uint32_t headers, size_t body_size, uint32_t trailers) override {
    for (auto &call : calls) {
      if (call.first != token) continue;
      const auto callback = std::move(call.second);
      call = std::move(calls.back());
      calls.pop_back();  // before the callback, which may make the next call
      if (callback) callback(headers, body_size, trailers);
      return;
    }
  }

  std::vector<std::pair<uint32_t, ContextBase::HttpCallCallback>> calls;
};

// Whoever is called back is held by the local copy of its call: it may cancel or reset itself meanwhile.
struct LiveGrpcCalls final : GrpcCalls {
  void add(GrpcCall call) override { calls.push_back(std::move(call)); }

  void forget(uint32_t token) override {
    std::erase_if(calls, [token](const GrpcCall &call) { return call.token == token; });
  }

  GrpcCall find(uint32_t token) const {
    for (const auto &call : calls) {
      if (call.token == token) return call;
    }
    return {};
  }

  void initialMetadata(uint32_t token, uint32_t headers) override {
    if (const auto call = find(token); call.stream) call.stream->onReceiveInitialMetadata(headers);
  }

  void trailingMetadata(uint32_t token, uint32_t trailers) override {
    if (const auto call = find(token); call.stream) call.stream->onReceiveTrailingMetadata(trailers);
  }

  void received(uint32_t token, size_t body_size) override {
    const auto call = find(token);
    if (call.stream) return call.stream->onReceive(body_size);
    forget(token);
    if (call.unary) call.unary->onSuccess(body_size);
    if (call.callback) call.callback(GrpcStatus::Ok, body_size);
  }

  void closed(uint32_t token, GrpcStatus status) override {
    const auto call = find(token);
    if (call.stream) return call.stream->remoteClosed(status);
    forget(token);
    if (call.unary) call.unary->onFailure(status);
    if (call.callback) call.callback(status, 0);
  }

  std::vector<GrpcCall> calls;
};

}  // namespace proxy_wasm_detail

inline WasmResult RootContext::httpCall(std::string_view uri, const HeaderStringPairs &request_headers,
                                        std::string_view request_body, const HeaderStringPairs &request_trailers,
                                        uint32_t timeout_milliseconds, HttpCallCallback callback) {
  uint32_t token = 0;
  const WasmResult result =
      makeHttpCall(uri, request_headers, request_body, request_trailers, timeout_milliseconds, &token);
  if (result == WasmResult::Ok) {
    if (!http_calls_) http_calls_ = std::make_unique<proxy_wasm_detail::LiveHttpCalls>();
    static_cast<proxy_wasm_detail::LiveHttpCalls &>(*http_calls_).calls.emplace_back(token, std::move(callback));
  }
  return result;
}

inline proxy_wasm_detail::GrpcCalls &RootContext::grpcCalls() {
  if (!grpc_calls_) grpc_calls_ = std::make_unique<proxy_wasm_detail::LiveGrpcCalls>();
  return *grpc_calls_;
}

inline WasmResult RootContext::grpcSimpleCall(std::string_view service, std::string_view service_name,
                                              std::string_view method_name, const HeaderStringPairs &initial_metadata,
                                              std::string_view request, uint32_t timeout_milliseconds,
                                              GrpcSimpleCallCallback callback) {
  uint32_t token = 0;
  const WasmResult result =
      grpcCall(service, service_name, method_name, initial_metadata, request, timeout_milliseconds, &token);
  if (result == WasmResult::Ok) grpcCalls().add({.token = token, .callback = std::move(callback)});
  return result;
}

inline WasmResult RootContext::grpcSimpleCall(std::string_view service, std::string_view service_name,
                                              std::string_view method_name, const HeaderStringPairs &initial_metadata,
                                              std::string_view request, uint32_t timeout_milliseconds,
                                              std::function<void(size_t body_size)> on_success,
                                              std::function<void(GrpcStatus status)> on_failure) {
  return grpcSimpleCall(
      service, service_name, method_name, initial_metadata, request, timeout_milliseconds,
      [on_success = std::move(on_success), on_failure = std::move(on_failure)](GrpcStatus status, size_t body_size) {
        status == GrpcStatus::Ok ? on_success(body_size) : on_failure(status);
      });
}

inline WasmResult RootContext::grpcCallHandler(std::string_view service, std::string_view service_name,
                                               std::string_view method_name, const HeaderStringPairs &initial_metadata,
                                               std::string_view request, uint32_t timeout_milliseconds,
                                               std::unique_ptr<GrpcCallHandlerBase> handler) {
  const WasmResult result =
      grpcCall(service, service_name, method_name, initial_metadata, request, timeout_milliseconds, &handler->token_);
  if (result == WasmResult::Ok) {
    handler->context_ = this;
    grpcCalls().add({.token = handler->token_, .unary = std::move(handler)});
  }
  return result;
}

inline WasmResult RootContext::grpcStreamHandler(std::string_view service, std::string_view service_name,
                                                 std::string_view method_name,
                                                 const HeaderStringPairs &initial_metadata,
                                                 std::unique_ptr<GrpcStreamHandlerBase> handler) {
  const WasmResult result = grpcStream(service, service_name, method_name, initial_metadata, &handler->token_);
  if (result == WasmResult::Ok) {
    handler->context_ = this;
    grpcCalls().add({.token = handler->token_, .stream = std::move(handler)});
  }
  return result;
}

inline void GrpcCallHandlerBase::cancel() {
  grpcCancel(token_);
  context_->grpcCalls().forget(token_);
}

inline WasmResult GrpcStreamHandlerBase::send(std::string_view message, bool end_of_stream) {
  const WasmResult result = grpcSend(token_, message, end_of_stream);
  if (result == WasmResult::Ok && end_of_stream) halfClosed(&closed_here_);
  return result;
}

inline void GrpcStreamHandlerBase::close() {
  grpcClose(token_);
  halfClosed(&closed_here_);
}

inline void GrpcStreamHandlerBase::reset() {
  grpcCancel(token_);
  context_->grpcCalls().forget(token_);
}

inline void GrpcStreamHandlerBase::remoteClosed(GrpcStatus status) {
  onRemoteClose(status);
  halfClosed(&closed_there_);
}

inline void GrpcStreamHandlerBase::halfClosed(bool *half) {
  *half = true;
  if (closed_here_ && closed_there_) context_->grpcCalls().forget(token_);
}

// ----------------------------------------------------------------------------------------------------- metrics

inline WasmResult defineMetric(MetricType type, std::string_view name, uint32_t *metric_id) {
  return proxy_define_metric(type, name.data(), name.size(), metric_id);
}
inline WasmResult incrementMetric(uint32_t metric_id, int64_t offset) {
  return proxy_increment_metric(metric_id, offset);
}
inline WasmResult recordMetric(uint32_t metric_id, uint64_t value) { return proxy_record_metric(metric_id, value); }
inline WasmResult getMetric(uint32_t metric_id, uint64_t *value) { return proxy_get_metric(metric_id, value); }

// A tag's value in a metric's name.
template <typename T>
  requires std::is_arithmetic_v<T> || std::is_convertible_v<T, std::string_view>
std::string toString(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return std::string(std::string_view(value));
  }
}

struct MetricTag {
  enum class TagType : uint32_t { String = 0, Int = 1, Bool = 2 };
  std::string name;
  TagType tagType;
};

// A metric with tags is one metric of the host per combination of values, called tag.value.tag.value.name.
struct MetricBase {
  MetricBase(MetricType type, std::string name, std::vector<MetricTag> tags = {}, std::string field_separator = ".",
             std::string value_separator = ".")
      : type(type),
        name(std::move(name)),
        tags(std::move(tags)),
        field_separator(std::move(field_separator)),
        value_separator(std::move(value_separator)) {}

  MetricType type;
  std::string name;
  std::string prefix;
  std::vector<MetricTag> tags;
  std::unordered_map<std::string, uint32_t> metric_ids;
  std::string field_separator;
  std::string value_separator;

  std::string prefixWithFields(const std::vector<std::string> &fields) const {
    std::string result = prefix;
    for (size_t i = 0; i < fields.size(); ++i) {
      result += tags[i].name + value_separator + fields[i] + field_separator;
    }
    return result;
  }

  uint32_t resolveFullName(const std::string &full_name) {
    const auto [known, is_new] = metric_ids.try_emplace(full_name, 0);
    if (is_new) CHECK_RESULT(defineMetric(type, full_name, &known->second));
    return known->second;
  }

  uint32_t resolveWithFields(const std::vector<std::string> &fields) {
    if (fields.size() != tags.size()) logAbort(name + ": a metric needs one value for each tag");
    return resolveFullName(prefixWithFields(fields) + name);
  }

  void partiallyResolveWithFields(const std::vector<std::string> &fields) {
    if (fields.size() >= tags.size()) logAbort(name + ": too many values for a metric's tags");
    prefix = prefixWithFields(fields);
    tags.erase(tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(fields.size()));
  }

  std::string nameFromIdSlow(uint32_t id) const {
    for (const auto &[full_name, metric_id] : metric_ids) {
      if (metric_id == id) return full_name;
    }
    return "";
  }

 protected:
  uint64_t value(uint32_t metric_id) const {
    uint64_t result = 0;
    CHECK_RESULT(getMetric(metric_id, &result));
    return result;
  }
};

// Tags known at run time only.
struct Metric : MetricBase {
  using MetricBase::MetricBase;

  template <typename... Fields>
  uint32_t resolve(Fields... fields) {
    return resolveWithFields({toString(fields)...});
  }
  template <typename... Fields>
  Metric partiallyResolve(Fields... fields) const {
    Metric result(*this);
    result.partiallyResolveWithFields({toString(fields)...});
    return result;
  }
  template <typename... Fields>
  void increment(int64_t offset, Fields... fields) {
    incrementMetric(resolve(fields...), offset);
  }
  template <typename... Fields>
  void record(uint64_t value, Fields... fields) {
    recordMetric(resolve(fields...), value);
  }
  template <typename... Fields>
  uint64_t get(Fields... fields) {
    return value(resolve(fields...));
  }
};

// One metric of the host: what the hot path should hold. Resolve tags once, keep the result.
struct SimpleCounter {
  explicit SimpleCounter(uint32_t id) : metric_id(id) {}
  void increment(int64_t offset) { incrementMetric(metric_id, offset); }
  void record(int64_t offset) { increment(offset); }
  uint64_t get() {
    uint64_t value = 0;
    CHECK_RESULT(getMetric(metric_id, &value));
    return value;
  }
  void operator++() { increment(1); }
  void operator++(int) { increment(1); }
  uint32_t metric_id;
};

struct SimpleGauge {
  explicit SimpleGauge(uint32_t id) : metric_id(id) {}
  void record(uint64_t value) { recordMetric(metric_id, value); }
  uint64_t get() {
    uint64_t value = 0;
    CHECK_RESULT(getMetric(metric_id, &value));
    return value;
  }
  uint32_t metric_id;
};

struct SimpleHistogram {
  explicit SimpleHistogram(uint32_t id) : metric_id(id) {}
  void record(uint64_t value) { recordMetric(metric_id, value); }
  uint32_t metric_id;
};

template <typename T>
struct MetricTagDescriptor {
  using type = T;
  MetricTagDescriptor(std::string_view name) : name(name) {}
  MetricTagDescriptor(const char *name) : name(name) {}
  std::string_view name;
};

template <typename T>
MetricTag toMetricTag(const MetricTagDescriptor<T> &descriptor) {
  using Type = MetricTag::TagType;
  return {std::string(descriptor.name), std::is_same_v<T, bool>   ? Type::Bool
                                        : std::is_arithmetic_v<T> ? Type::Int
                                                                  : Type::String};
}

namespace proxy_wasm_detail {

// What Counter, Gauge and Histogram share: `Counter<std::string, int>("hits", "method", "code")`.
template <template <typename...> typename Self, MetricType kind, typename Simple, typename... Tags>
struct TypedMetric : MetricBase {
  explicit TypedMetric(std::string_view name, MetricTagDescriptor<Tags>... tags)
      : MetricBase(kind, std::string(name), {toMetricTag(tags)...}) {}

  static Self<Tags...> *New(std::string_view name, MetricTagDescriptor<Tags>... tags) {
    return new Self<Tags...>(name, tags...);
  }

  Simple resolve(Tags... values) { return Simple(resolveWithFields({toString(values)...})); }

  // The same metric with these tags fixed and more to come. The caller owns it.
  template <typename... More>
  Self<More...> *extendAndResolve(Tags... values, MetricTagDescriptor<More>... more) {
    auto *result = new Self<More...>(name, more...);
    result->prefix = prefixWithFields({toString(values)...});
    return result;
  }

 protected:
  template <typename... Values>
  uint32_t id(Values... values) {
    static_assert(sizeof...(Values) == sizeof...(Tags), "one value for each tag");
    return resolveWithFields({toString(values)...});
  }
};

}  // namespace proxy_wasm_detail

template <typename... Tags>
struct Counter : proxy_wasm_detail::TypedMetric<Counter, MetricType::Counter, SimpleCounter, Tags...> {
  explicit Counter(std::string_view name, MetricTagDescriptor<Tags>... tags) : Counter::TypedMetric(name, tags...) {}
  template <typename... Values>
  void increment(int64_t offset, Values... values) {
    incrementMetric(this->id(values...), offset);
  }
  template <typename... Values>
  void record(int64_t offset, Values... values) {
    increment(offset, values...);
  }
  template <typename... Values>
  uint64_t get(Values... values) {
    return this->value(this->id(values...));
  }
};

template <typename... Tags>
struct Gauge : proxy_wasm_detail::TypedMetric<Gauge, MetricType::Gauge, SimpleGauge, Tags...> {
  explicit Gauge(std::string_view name, MetricTagDescriptor<Tags>... tags) : Gauge::TypedMetric(name, tags...) {}
  template <typename... Values>
  void record(uint64_t value, Values... values) {
    recordMetric(this->id(values...), value);
  }
  template <typename... Values>
  uint64_t get(Values... values) {
    return this->value(this->id(values...));
  }
};

template <typename... Tags>
struct Histogram : proxy_wasm_detail::TypedMetric<Histogram, MetricType::Histogram, SimpleHistogram, Tags...> {
  explicit Histogram(std::string_view name, MetricTagDescriptor<Tags>... tags)
      : Histogram::TypedMetric(name, tags...) {}
  template <typename... Values>
  void record(uint64_t value, Values... values) {
    recordMetric(this->id(values...), value);
  }
};

// ------------------------------------------------------------------------------------- from the proxy into the VM

using RootFactory = std::function<std::unique_ptr<RootContext>(uint32_t id, std::string_view root_id)>;
using ContextFactory = std::function<std::unique_ptr<Context>(uint32_t id, RootContext *root)>;

namespace proxy_wasm_detail {

// What the program registered for one root id. They are made before the proxy's first call and stay.
struct Registration {
  std::string root_id;
  RootFactory root;
  ContextFactory context;
  Registration *next;
};

inline constinit Registration *registrations = nullptr;

struct Host {
  static Registration *registered(std::string_view root_id) {
    for (Registration *candidate = registrations; candidate != nullptr; candidate = candidate->next) {
      if (candidate->root_id == root_id) return candidate;
    }
    return nullptr;
  }

  static void add(std::string_view root_id, ContextFactory context, RootFactory root) {
    Registration *registration = registered(root_id);
    if (registration == nullptr) {
      registration = new Registration{std::string(root_id), nullptr, nullptr, registrations};
      registrations = registration;
    }
    if (context) registration->context = std::move(context);
    if (root) registration->root = std::move(root);
  }

  static ContextBase &base(uint32_t id) {
    ContextBase *context = contexts.find(id);
    if (context == nullptr) logAbort("the proxy named a context that it did not create");
    return *context;
  }
  static Context &stream(uint32_t id) { return static_cast<Context &>(base(id)); }
  static RootContext &root(uint32_t id) { return static_cast<RootContext &>(base(id)); }

  static void create(uint32_t id, uint32_t parent) {
    std::unique_ptr<ContextBase> context = parent == 0 ? createRoot(id) : createStream(id, root(parent));
    ContextBase &created = *context;
    contexts.put(id, std::move(context));
    created.onCreate();
  }

  static std::unique_ptr<ContextBase> createRoot(uint32_t id) {
    std::string root_id;
    getValue({"plugin_root_id"}, &root_id);
    const Registration *registration = registered(root_id);
    auto root = registration != nullptr && registration->root ? registration->root(id, root_id)
                                                              : std::make_unique<RootContext>(id, root_id);
    root->registration_ = registration;
    return root;
  }

  static std::unique_ptr<ContextBase> createStream(uint32_t id, RootContext &root) {
    const Registration *registration = root.registration_;
    if (registration == nullptr || !registration->context) return std::make_unique<Context>(id, &root);
    return registration->context(id, &root);
  }

  // A root id that nobody registered would be a filter that silently does nothing.
  static bool configure(uint32_t id, uint32_t size) {
    RootContext &plugin = root(id);
    if (plugin.registration_ != nullptr || registrations == nullptr) return plugin.onConfigure(size);
    std::string message = "root id \"" + plugin.root_id_ + "\" is not one of this module's:";
    for (const Registration *known = registrations; known != nullptr; known = known->next) {
      message += " \"" + known->root_id + "\"";
    }
    logError(message);
    return false;
  }
};

#if defined(PROXY_WASM_ABI_0_1_0)
PROXY_WASM_EXPORT(proxy_abi_version_0_1_0) inline void abiVersion() {}
#elif defined(PROXY_WASM_ABI_0_2_0)
PROXY_WASM_EXPORT(proxy_abi_version_0_2_0) inline void abiVersion() {}
#else
PROXY_WASM_EXPORT(proxy_abi_version_0_2_1) inline void abiVersion() {}
#endif

PROXY_WASM_EXPORT(proxy_on_memory_allocate) inline void *allocate(size_t size) { return ::malloc(size); }

PROXY_WASM_EXPORT(proxy_on_context_create) inline void onContextCreate(uint32_t id, uint32_t parent) {
  Host::create(id, parent);
}
PROXY_WASM_EXPORT(proxy_on_delete) inline void onDelete(uint32_t id) {
  Host::base(id).onDelete();
  contexts.take(id);
}
PROXY_WASM_EXPORT(proxy_on_vm_start) inline uint32_t onVmStart(uint32_t id, uint32_t size) {
  return Host::root(id).onStart(size) ? 1 : 0;
}
PROXY_WASM_EXPORT(proxy_validate_configuration) inline uint32_t validateConfiguration(uint32_t id, uint32_t size) {
  return Host::root(id).validateConfiguration(size) ? 1 : 0;
}
PROXY_WASM_EXPORT(proxy_on_configure) inline uint32_t onConfigure(uint32_t id, uint32_t size) {
  return Host::configure(id, size) ? 1 : 0;
}
PROXY_WASM_EXPORT(proxy_on_tick) inline void onTick(uint32_t id) { Host::root(id).onTick(); }
PROXY_WASM_EXPORT(proxy_on_queue_ready) inline void onQueueReady(uint32_t id, uint32_t token) {
  Host::root(id).onQueueReady(token);
}
PROXY_WASM_EXPORT(proxy_on_foreign_function)
inline void onForeignFunction(uint32_t id, uint32_t function, uint32_t size) {
  Host::base(id).onForeignFunction(function, size);
}
PROXY_WASM_EXPORT(proxy_on_http_call_response)
inline void onHttpCallResponse(uint32_t id, uint32_t token, uint32_t headers, uint32_t body_size, uint32_t trailers) {
  Host::root(id).onHttpCallResponse(token, headers, body_size, trailers);
}
PROXY_WASM_EXPORT(proxy_on_grpc_receive_initial_metadata)
inline void onGrpcReceiveInitialMetadata(uint32_t id, uint32_t token, uint32_t headers) {
  Host::root(id).onGrpcReceiveInitialMetadata(token, headers);
}
PROXY_WASM_EXPORT(proxy_on_grpc_receive_trailing_metadata)
inline void onGrpcReceiveTrailingMetadata(uint32_t id, uint32_t token, uint32_t trailers) {
  Host::root(id).onGrpcReceiveTrailingMetadata(token, trailers);
}
PROXY_WASM_EXPORT(proxy_on_grpc_receive) inline void onGrpcReceive(uint32_t id, uint32_t token, uint32_t size) {
  Host::root(id).onGrpcReceive(token, size);
}
PROXY_WASM_EXPORT(proxy_on_grpc_close) inline void onGrpcClose(uint32_t id, uint32_t token, uint32_t status) {
  Host::root(id).onGrpcClose(token, static_cast<GrpcStatus>(status));
}

// The callbacks of streams. Each is a template so that only what keep() names below becomes part of the module;
// its one instance has the same name in every source file, and the linker keeps one.
#define PROXY_WASM_STREAM_CALLBACK(Name, symbol, Result, Parameters, call)    \
  template <bool>                                                             \
  struct Name {                                                               \
    PROXY_WASM_EXPORT(symbol) static Result enter Parameters { return call; } \
  };
PROXY_WASM_STREAM_CALLBACK(OnNewConnection, proxy_on_new_connection, FilterStatus, (uint32_t id),
                           Host::stream(id).onNewConnection())
PROXY_WASM_STREAM_CALLBACK(OnDownstreamData, proxy_on_downstream_data, FilterStatus,
                           (uint32_t id, uint32_t size, uint32_t end),
                           Host::stream(id).onDownstreamData(size, end != 0))
PROXY_WASM_STREAM_CALLBACK(OnUpstreamData, proxy_on_upstream_data, FilterStatus,
                           (uint32_t id, uint32_t size, uint32_t end), Host::stream(id).onUpstreamData(size, end != 0))
PROXY_WASM_STREAM_CALLBACK(OnDownstreamConnectionClose, proxy_on_downstream_connection_close, void,
                           (uint32_t id, CloseType type), Host::stream(id).onDownstreamConnectionClose(type))
PROXY_WASM_STREAM_CALLBACK(OnUpstreamConnectionClose, proxy_on_upstream_connection_close, void,
                           (uint32_t id, CloseType type), Host::stream(id).onUpstreamConnectionClose(type))
#if defined(PROXY_WASM_ABI_0_1_0)
PROXY_WASM_STREAM_CALLBACK(OnRequestHeaders, proxy_on_request_headers, FilterHeadersStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onRequestHeaders(count, false))
PROXY_WASM_STREAM_CALLBACK(OnResponseHeaders, proxy_on_response_headers, FilterHeadersStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onResponseHeaders(count, false))
#else
PROXY_WASM_STREAM_CALLBACK(OnRequestHeaders, proxy_on_request_headers, FilterHeadersStatus,
                           (uint32_t id, uint32_t count, uint32_t end),
                           Host::stream(id).onRequestHeaders(count, end != 0))
PROXY_WASM_STREAM_CALLBACK(OnResponseHeaders, proxy_on_response_headers, FilterHeadersStatus,
                           (uint32_t id, uint32_t count, uint32_t end),
                           Host::stream(id).onResponseHeaders(count, end != 0))
#endif
PROXY_WASM_STREAM_CALLBACK(OnRequestMetadata, proxy_on_request_metadata, FilterMetadataStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onRequestMetadata(count))
PROXY_WASM_STREAM_CALLBACK(OnRequestBody, proxy_on_request_body, FilterDataStatus,
                           (uint32_t id, uint32_t size, uint32_t end), Host::stream(id).onRequestBody(size, end != 0))
PROXY_WASM_STREAM_CALLBACK(OnRequestTrailers, proxy_on_request_trailers, FilterTrailersStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onRequestTrailers(count))
PROXY_WASM_STREAM_CALLBACK(OnResponseMetadata, proxy_on_response_metadata, FilterMetadataStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onResponseMetadata(count))
PROXY_WASM_STREAM_CALLBACK(OnResponseBody, proxy_on_response_body, FilterDataStatus,
                           (uint32_t id, uint32_t size, uint32_t end), Host::stream(id).onResponseBody(size, end != 0))
PROXY_WASM_STREAM_CALLBACK(OnResponseTrailers, proxy_on_response_trailers, FilterTrailersStatus,
                           (uint32_t id, uint32_t count), Host::stream(id).onResponseTrailers(count))
PROXY_WASM_STREAM_CALLBACK(OnDone, proxy_on_done, uint32_t, (uint32_t id), Host::base(id).onDoneBase() ? 1 : 0)
PROXY_WASM_STREAM_CALLBACK(OnLog, proxy_on_log, void, (uint32_t id), Host::base(id).onLog())
#undef PROXY_WASM_STREAM_CALLBACK

template <typename Method>
void accepts(Method method);

// True when `&T::name` is still Base's: the address of an overriding member does not convert to one of the base.
// A private override cannot be named at all, which counts as overridden, too.
#define PROXY_WASM_INHERITED(T, Base, Result, name, ...) \
  requires { proxy_wasm_detail::accepts<Result (Base::*)(__VA_ARGS__)>(&T::name); }

// Export `Callback` if T overrides the method it leads to. T may be void: then everything is exported.
#define PROXY_WASM_KEEP(T, Callback, inherited) \
  if constexpr (!(inherited)) static_cast<void>(&Callback<sizeof(T *) != 0>::enter);

template <typename T>
constexpr void keepStreamCallbacks() {
  PROXY_WASM_KEEP(T, OnNewConnection, PROXY_WASM_INHERITED(T, Context, FilterStatus, onNewConnection))
  PROXY_WASM_KEEP(T, OnDownstreamData, PROXY_WASM_INHERITED(T, Context, FilterStatus, onDownstreamData, size_t, bool))
  PROXY_WASM_KEEP(T, OnUpstreamData, PROXY_WASM_INHERITED(T, Context, FilterStatus, onUpstreamData, size_t, bool))
  PROXY_WASM_KEEP(T, OnDownstreamConnectionClose,
                  PROXY_WASM_INHERITED(T, Context, void, onDownstreamConnectionClose, CloseType))
  PROXY_WASM_KEEP(T, OnUpstreamConnectionClose,
                  PROXY_WASM_INHERITED(T, Context, void, onUpstreamConnectionClose, CloseType))
  PROXY_WASM_KEEP(T, OnRequestHeaders,
                  (PROXY_WASM_INHERITED(T, Context, FilterHeadersStatus, onRequestHeaders, uint32_t)) &&
                      (PROXY_WASM_INHERITED(T, Context, FilterHeadersStatus, onRequestHeaders, uint32_t, bool)))
  PROXY_WASM_KEEP(T, OnRequestMetadata,
                  PROXY_WASM_INHERITED(T, Context, FilterMetadataStatus, onRequestMetadata, uint32_t))
  PROXY_WASM_KEEP(T, OnRequestBody, PROXY_WASM_INHERITED(T, Context, FilterDataStatus, onRequestBody, size_t, bool))
  PROXY_WASM_KEEP(T, OnRequestTrailers,
                  PROXY_WASM_INHERITED(T, Context, FilterTrailersStatus, onRequestTrailers, uint32_t))
  PROXY_WASM_KEEP(T, OnResponseHeaders,
                  (PROXY_WASM_INHERITED(T, Context, FilterHeadersStatus, onResponseHeaders, uint32_t)) &&
                      (PROXY_WASM_INHERITED(T, Context, FilterHeadersStatus, onResponseHeaders, uint32_t, bool)))
  PROXY_WASM_KEEP(T, OnResponseMetadata,
                  PROXY_WASM_INHERITED(T, Context, FilterMetadataStatus, onResponseMetadata, uint32_t))
  PROXY_WASM_KEEP(T, OnResponseBody, PROXY_WASM_INHERITED(T, Context, FilterDataStatus, onResponseBody, size_t, bool))
  PROXY_WASM_KEEP(T, OnResponseTrailers,
                  PROXY_WASM_INHERITED(T, Context, FilterTrailersStatus, onResponseTrailers, uint32_t))
  PROXY_WASM_KEEP(T, OnDone, PROXY_WASM_INHERITED(T, Context, void, onDone))
  PROXY_WASM_KEEP(T, OnLog, PROXY_WASM_INHERITED(T, ContextBase, void, onLog))
}

// A plugin's own end, and its share in access logs.
template <typename T>
constexpr void keepRootCallbacks() {
  PROXY_WASM_KEEP(T, OnDone, PROXY_WASM_INHERITED(T, RootContext, bool, onDone))
  PROXY_WASM_KEEP(T, OnLog, PROXY_WASM_INHERITED(T, ContextBase, void, onLog))
}
#undef PROXY_WASM_KEEP
#undef PROXY_WASM_INHERITED

template <typename T>
struct MakeRoot {
  std::unique_ptr<RootContext> operator()(uint32_t id, std::string_view root_id) const {
    return std::make_unique<T>(id, root_id);
  }
};

template <typename T>
struct MakeContext {
  std::unique_ptr<Context> operator()(uint32_t id, RootContext *root) const { return std::make_unique<T>(id, root); }
};

struct Unknown {};  // has no member of any name: everything counts as overridden

template <typename Factory>
struct MadeBy {
  using Type = Unknown;
};
template <typename T>
struct MadeBy<MakeRoot<T>> {
  using Type = T;
};
template <typename T>
struct MadeBy<MakeContext<T>> {
  using Type = T;
};
template <>
struct MadeBy<std::nullptr_t> {
  using Type = Context;  // inherits everything
};

}  // namespace proxy_wasm_detail

#define ROOT_FACTORY(_c) (::proxy_wasm_detail::MakeRoot<_c>{})
#define CONTEXT_FACTORY(_c) (::proxy_wasm_detail::MakeContext<_c>{})

// A static object of this type registers the classes behind a root id: the `root_id` of the proxy's configuration.
struct RegisterContextFactory {
  template <typename ForContext, typename ForRoot>
    requires std::is_convertible_v<ForContext, ContextFactory> && std::is_convertible_v<ForRoot, RootFactory>
  RegisterContextFactory(ForContext context_factory, ForRoot root_factory, std::string_view root_id = "") {
    proxy_wasm_detail::keepStreamCallbacks<typename proxy_wasm_detail::MadeBy<ForContext>::Type>();
    if constexpr (!std::is_null_pointer_v<ForRoot>) {
      proxy_wasm_detail::keepRootCallbacks<typename proxy_wasm_detail::MadeBy<ForRoot>::Type>();
    }
    proxy_wasm_detail::Host::add(root_id, std::move(context_factory), std::move(root_factory));
  }

  template <typename ForRoot>
    requires std::is_convertible_v<ForRoot, RootFactory>
  explicit RegisterContextFactory(ForRoot root_factory, std::string_view root_id = "")
      : RegisterContextFactory(nullptr, std::move(root_factory), root_id) {}

  template <typename ForContext>
    requires(std::is_convertible_v<ForContext, ContextFactory> && !std::is_convertible_v<ForContext, RootFactory>)
  explicit RegisterContextFactory(ForContext context_factory, std::string_view root_id = "")
      : RegisterContextFactory(std::move(context_factory), nullptr, root_id) {}
};
