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
#include <utility>
#include <vector>

#include "proxy_wasm_intrinsics.h"
#include "weft_json.h"

namespace weft {

// What was wrong first, and what has been looked at.
struct ConfigReport {
  struct Object {
    const Json *json;
    std::string path;        // what stands before its keys in a complaint: "rewrites[0]."
    std::vector<bool> seen;  // for each key
  };

  void complain(const std::string &complaint) {
    if (problem.empty()) problem = complaint;
  }

  std::string problem;
  std::vector<Object> objects;
};

// An object in the configuration. Its methods take a key; a missing key reads as the default.
class ConfigObject {
 public:
  ConfigObject(const Json &json, std::string path, ConfigReport &report)
      : report_(&report), number_(report.objects.size()) {
    report.objects.push_back({&json, std::move(path), std::vector<bool>(json.keys().size())});
  }

  bool has(std::string_view key) const { return self().json->find(key) != nullptr; }

  std::string string(std::string_view key, std::string_view fallback = "") {
    const Json *value = take(key, Json::Type::String, "must be a string");
    return value != nullptr ? value->text() : std::string(fallback);
  }

  std::string requiredString(std::string_view key) {
    require(key);
    return string(key);
  }

  bool boolean(std::string_view key, bool fallback = false) {
    const Json *value = take(key, Json::Type::Bool, "must be true or false");
    return value != nullptr ? value->boolean() : fallback;
  }

  int64_t integer(std::string_view key, int64_t fallback, int64_t least = INT64_MIN, int64_t most = INT64_MAX) {
    const std::string problem =
        least == INT64_MIN && most == INT64_MAX
            ? "must be an integer"
            : "must be an integer from " + std::to_string(least) + " to " + std::to_string(most);
    const Json *value = take(key, Json::Type::Number, problem);
    if (value == nullptr) return fallback;
    const std::optional<int64_t> integer = value->integer();
    if (integer && *integer >= least && *integer <= most) return *integer;
    refuse(key, problem);
    return fallback;
  }

  double number(std::string_view key, double fallback) {
    const Json *value = take(key, Json::Type::Number, "must be a number");
    return value != nullptr ? value->number() : fallback;
  }

  // A list; a missing key is an empty one.
  std::vector<std::string> strings(std::string_view key) {
    std::vector<std::string> result;
    each(key, Json::Type::String, "must be a string",
         [&](const Json &item, const std::string &) { result.push_back(item.text()); });
    return result;
  }

  std::vector<ConfigObject> objects(std::string_view key) {
    std::vector<ConfigObject> result;
    each(key, Json::Type::Object, "must be an object",
         [&](const Json &item, const std::string &path) { result.emplace_back(item, path + ".", *report_); });
    return result;
  }

  std::optional<ConfigObject> object(std::string_view key) {
    const Json *value = take(key, Json::Type::Object, "must be an object");
    if (value == nullptr) return std::nullopt;
    return ConfigObject(*value, pathTo(key) + ".", *report_);
  }

  void require(std::string_view key) {
    if (!has(key)) refuse(key, "is required");
  }

  // For checks of the filter's own: refuse("name", "must not be empty").
  void refuse(std::string_view key, std::string_view problem) {
    report_->complain(pathTo(key) + " " + std::string(problem));
  }

 private:
  ConfigReport::Object &self() const { return report_->objects[number_]; }
  std::string pathTo(std::string_view key) const { return self().path + std::string(key); }

  const Json *take(std::string_view key, Json::Type type, std::string_view problem) {
    const Json *value = self().json->find(key);
    if (value == nullptr) return nullptr;
    self().seen[static_cast<size_t>(value - self().json->items().data())] = true;
    if (value->type() == type) return value;
    refuse(key, problem);
    return nullptr;
  }

  template <typename F>
  void each(std::string_view key, Json::Type type, std::string_view problem, F use) {
    const Json *list = take(key, Json::Type::Array, "must be a list");
    if (list == nullptr) return;
    for (size_t i = 0; i < list->items().size(); ++i) {
      const std::string path = pathTo(key) + "[" + std::to_string(i) + "]";
      if (list->items()[i].type() == type) {
        use(list->items()[i], path);
      } else {
        report_->complain(path + " " + std::string(problem));
      }
    }
  }

  ConfigReport *report_;
  size_t number_;  // in report_->objects, which moves when it grows
};

namespace detail {

// Base of Config, so that the tree is there before the object that looks into it.
struct ConfigTree {
  explicit ConfigTree(std::string_view text) {
    if (text.empty()) text = "{}";
    std::string problem;
    std::optional<Json> parsed = Json::parse(text, &problem);
    if (!parsed) {
      report.complain("not valid JSON: " + problem);
    } else if (parsed->type() != Json::Type::Object) {
      report.complain("must be an object");
    } else {
      tree = std::move(*parsed);
    }
  }

  Json tree;  // stays without keys when there is nothing to read
  ConfigReport report;
};

}  // namespace detail

class Config : private detail::ConfigTree, public ConfigObject {
 public:
  Config() : Config(getConfiguration()->view()) {}
  explicit Config(std::string_view text) : ConfigTree(text), ConfigObject(tree, "", report) {}
  Config(const Config &) = delete;
  Config &operator=(const Config &) = delete;

  // True if nothing was wrong; otherwise logs what was. Ask when all has been read: what onConfigure returns.
  bool accepted() {
    for (const auto &object : report.objects) {
      for (size_t i = 0; i < object.seen.size(); ++i) {
        if (!object.seen[i]) report.complain(object.path + object.json->keys()[i] + " is not a known key");
      }
    }
    if (report.problem.empty()) return true;
    logError("config: " + report.problem);
    return false;
  }
};

// A token of RFC 9110, section 5.6.2: what a header may be called.
inline bool isHeaderName(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (const char c : name) {
    const char lower = static_cast<char>(c | 0x20);
    const bool alphanumeric = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && marks.find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

// No control characters: a line break would end the header and begin another.
inline bool isHeaderValue(std::string_view value) {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  }
  return true;
}

inline std::string lowerCase(std::string text) {
  for (char &c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

}  // namespace weft
