// Puts questions from the config to weft::Json and weft::Regex and logs an answer for each: "<number> <answer>".
// Texts travel as hexadecimal digits, since most of them would not pass through a config as they are.
#include <cstring>
#include <string>

#include "proxy_wasm_intrinsics.h"
#include "weft_config.h"
#include "weft_regex.h"

namespace {

std::string fromHex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string text;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    text += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  }
  return text;
}

std::string toHex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    digits += "0123456789abcdef"[c & 15];
  }
  return digits;
}

// The value again, as JSON whose strings are hexadecimal and whose numbers are [text, integer or null, double's bits].
std::string shown(const weft::Json &json) {
  std::string result;
  switch (json.type()) {
    case weft::Json::Type::Null:
      return "null";
    case weft::Json::Type::Bool:
      return json.boolean() ? "true" : "false";
    case weft::Json::Type::String:
      return "\"" + toHex(json.text()) + "\"";
    case weft::Json::Type::Number: {
      const double number = json.number();
      uint64_t bits = 0;
      memcpy(&bits, &number, sizeof bits);
      const auto integer = json.integer();
      return "{\"text\":\"" + json.text() + "\",\"integer\":" + (integer ? std::to_string(*integer) : "null") +
             ",\"bits\":" + std::to_string(bits) + "}";
    }
    case weft::Json::Type::Array:
      for (const auto &item : json.items()) result += (result.empty() ? "" : ",") + shown(item);
      return "[" + result + "]";
    case weft::Json::Type::Object:
      for (size_t i = 0; i < json.keys().size(); ++i) {
        result += (i == 0 ? "[\"" : ",[\"") + toHex(json.keys()[i]) + "\"," + shown(json.items()[i]) + "]";
      }
      return "[\"object\"," + (result.empty() ? "[]" : "[" + result + "]") + "]";
  }
  return "";
}

std::string askJson(const std::string &text) {
  std::string problem;
  const auto json = weft::Json::parse(text, &problem);
  return json ? "= " + shown(*json) : problem;
}

// One digit for each text: 1 if it matches.
std::string askRegex(const std::string &pattern, const std::vector<std::string> &texts) {
  std::string answer = "= ", problem;
  const auto regex = weft::Regex::compile(pattern, &problem);
  if (!regex) return problem;
  for (const auto &text : texts) answer += regex->matches(fromHex(text)) ? '1' : '0';
  return answer;
}

}  // namespace

class Readers : public RootContext {
 public:
  using RootContext::RootContext;

  bool onConfigure(size_t) override {
    weft::Config config;
    int number = 0;
    for (auto &question : config.objects("questions")) {
      const std::string text = fromHex(question.string("text"));
      const auto texts = question.strings("against");
      logInfo(std::to_string(number++) + " " + (question.boolean("regex") ? askRegex(text, texts) : askJson(text)));
    }
    return config.accepted();
  }
};

static RegisterContextFactory register_readers(ROOT_FACTORY(Readers), "readers");
