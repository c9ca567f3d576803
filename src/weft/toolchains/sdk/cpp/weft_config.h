// A filter's configuration, read and checked:
//
//   bool MyRootContext::onConfigure(size_t) {
//     weft::Config config;                         // what the plugin was given; nothing counts as {}
//     name_ = config.string("name", "hello");      // the value, or a default
//     if (!weft::isHeaderName(name_)) config.refuse("name", "must be a valid HTTP header name");
//     return config.accepted();                    // false after logging one line: "config: name must be ..."
//   }
//
// Reading never stops at a mistake: a wrong value reads as its default, the first mistake is kept and accepted() tells
// it. Keys that were never asked for are mistakes, too: a misspelt key must not be silently ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy_wasm_intrinsics.h"
#include "weft_json.h"

namespace weft {

struct ConfigReport;

// An object in the configuration. Its methods take a key; a missing key reads as the default.
class ConfigObject {
 public:
  bool has(std::string_view key) const;
  void require(std::string_view key);

  std::string string(std::string_view key, std::string_view fallback = "");
  std::string requiredString(std::string_view key);
  bool boolean(std::string_view key, bool fallback = false);
  int64_t integer(std::string_view key, int64_t fallback, int64_t least = INT64_MIN, int64_t most = INT64_MAX);
  double number(std::string_view key, double fallback);

  // Lists; a missing key is an empty one.
  std::vector<std::string> strings(std::string_view key);
  std::vector<ConfigObject> objects(std::string_view key);

  std::optional<ConfigObject> object(std::string_view key);

  // For checks of the filter's own: refuse("name", "must not be empty").
  void refuse(std::string_view key, std::string_view problem);

 protected:
  ConfigObject(ConfigReport *report, const Json &json, std::string path);

  ConfigReport *report_;

 private:
  const Json &json() const;
  std::string pathTo(std::string_view key) const;
  const Json *take(std::string_view key, Json::Type type, std::string_view problem);
  template <typename F>
  void each(std::string_view key, Json::Type type, std::string_view problem, F use);

  size_t number_;  // of this object in the report
};

class Config : public ConfigObject {
 public:
  Config() : Config(getConfiguration()->view()) {}
  explicit Config(std::string_view text);
  ~Config();
  Config(const Config &) = delete;
  Config &operator=(const Config &) = delete;

  // True if nothing was wrong; otherwise logs what was. Ask when all has been read: what onConfigure returns.
  bool accepted();

 private:
  explicit Config(ConfigReport *report);  // takes it over
};

// A token of RFC 9110, section 5.6.2: what a header may be called.
bool isHeaderName(std::string_view name);

// No control characters: a line break would end the header and begin another.
bool isHeaderValue(std::string_view value);

std::string lowerCase(std::string text);

}  // namespace weft
