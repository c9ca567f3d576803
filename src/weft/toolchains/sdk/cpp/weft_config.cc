#include "weft_config.h"

#include <utility>

namespace weft {

// The configuration, what was wrong with it first, and what has been looked at.
struct ConfigReport {
  struct Object {
    const Json *json;
    std::string path;        // what stands before its keys in a complaint: "rewrites[0]."
    std::vector<bool> seen;  // for each key
  };

  explicit ConfigReport(std::string_view text) {
    if (text.empty()) text = "{}";
    std::string mistake;
    std::optional<Json> parsed = Json::parse(text, &mistake);
    if (!parsed) {
      problem = "not valid JSON: " + mistake;
    } else if (parsed->type() != Json::Type::Object) {
      problem = "must be an object";
    } else {
      tree = std::move(*parsed);
    }
  }

  void complain(const std::string &complaint) {
    if (problem.empty()) problem = complaint;
  }

  Json tree;  // stays without keys when there is nothing to read
  std::string problem;
  std::vector<Object> objects;
};

ConfigObject::ConfigObject(ConfigReport *report, const Json &json, std::string path)
    : report_(report), number_(report->objects.size()) {
  report->objects.push_back({&json, std::move(path), std::vector<bool>(json.keys().size())});
}

const Json &ConfigObject::json() const { return *report_->objects[number_].json; }

std::string ConfigObject::pathTo(std::string_view key) const {
  return report_->objects[number_].path + std::string(key);
}

// The value of `key` if it is there and of the right type.
const Json *ConfigObject::take(std::string_view key, Json::Type type, std::string_view problem) {
  const Json *value = json().find(key);
  if (value == nullptr) return nullptr;
  report_->objects[number_].seen[static_cast<size_t>(value - json().items().data())] = true;
  if (value->type() == type) return value;
  refuse(key, problem);
  return nullptr;
}

template <typename F>
void ConfigObject::each(std::string_view key, Json::Type type, std::string_view problem, F use) {
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

bool ConfigObject::has(std::string_view key) const { return json().find(key) != nullptr; }

void ConfigObject::require(std::string_view key) {
  if (!has(key)) refuse(key, "is required");
}

void ConfigObject::refuse(std::string_view key, std::string_view problem) {
  report_->complain(pathTo(key) + " " + std::string(problem));
}

std::string ConfigObject::string(std::string_view key, std::string_view fallback) {
  const Json *value = take(key, Json::Type::String, "must be a string");
  return value != nullptr ? value->text() : std::string(fallback);
}

std::string ConfigObject::requiredString(std::string_view key) {
  require(key);
  return string(key);
}

bool ConfigObject::boolean(std::string_view key, bool fallback) {
  const Json *value = take(key, Json::Type::Bool, "must be true or false");
  return value != nullptr ? value->boolean() : fallback;
}

int64_t ConfigObject::integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) {
  std::string problem = "must be an integer";
  if (least != INT64_MIN || most != INT64_MAX) {
    problem += " from " + std::to_string(least) + " to " + std::to_string(most);
  }
  const Json *value = take(key, Json::Type::Number, problem);
  if (value == nullptr) return fallback;
  const std::optional<int64_t> integer = value->integer();
  if (integer && *integer >= least && *integer <= most) return *integer;
  refuse(key, problem);
  return fallback;
}

double ConfigObject::number(std::string_view key, double fallback) {
  const Json *value = take(key, Json::Type::Number, "must be a number");
  return value != nullptr ? value->number() : fallback;
}

std::vector<std::string> ConfigObject::strings(std::string_view key) {
  std::vector<std::string> result;
  each(key, Json::Type::String, "must be a string",
       [&](const Json &item, const std::string &) { result.push_back(item.text()); });
  return result;
}

std::vector<ConfigObject> ConfigObject::objects(std::string_view key) {
  std::vector<ConfigObject> result;
  each(key, Json::Type::Object, "must be an object",
       [&](const Json &item, const std::string &path) { result.push_back(ConfigObject(report_, item, path + ".")); });
  return result;
}

std::optional<ConfigObject> ConfigObject::object(std::string_view key) {
  const Json *value = take(key, Json::Type::Object, "must be an object");
  if (value == nullptr) return std::nullopt;
  return ConfigObject(report_, *value, pathTo(key) + ".");
}

Config::Config(std::string_view text) : Config(new ConfigReport(text)) {}

Config::Config(ConfigReport *report) : ConfigObject(report, report->tree, "") {}

Config::~Config() { delete report_; }

bool Config::accepted() {
  for (const auto &object : report_->objects) {
    for (size_t i = 0; i < object.seen.size(); ++i) {
      if (!object.seen[i]) report_->complain(object.path + object.json->keys()[i] + " is not a known key");
    }
  }
  if (report_->problem.empty()) return true;
  logError("config: " + report_->problem);
  return false;
}

bool isHeaderName(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (const char c : name) {
    const char lower = static_cast<char>(c | 0x20);
    const bool alphanumeric = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && marks.find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

bool isHeaderValue(std::string_view value) {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  }
  return true;
}

std::string lowerCase(std::string text) {
  for (char &c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

}  // namespace weft
