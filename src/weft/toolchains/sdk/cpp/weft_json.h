// Read JSON once, when a filter is configured, into a tree of values.
//
// Strict RFC 8259: UTF-8 only, no comments, no trailing commas, no leading zeros, no lone surrogates. A key that is
// given twice is refused as well: one of its values would be lost silently. Nothing throws; a mistake is named with
// line and column. Standard library only; weft_config.h is the comfortable way to a filter's own configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Json {
 public:
  enum class Type : uint8_t { Null, Bool, Number, String, Array, Object };

  // What is larger than this is a mistake or an attack. Reading is recursive; keys are compared with each other.
  static constexpr size_t kMaxBytes = 1024 * 1024;
  static constexpr size_t kMaxDepth = 64;
  static constexpr size_t kMaxKeys = 4096;

  // The value of `text`, or nothing, with `problem` saying where and what: "line 2, column 7: expected ':'".
  static std::optional<Json> parse(std::string_view text, std::string *problem);

  Type type() const { return type_; }

  bool boolean() const { return boolean_; }                       // a Bool's value
  const std::string &text() const { return text_; }               // a String's content; a Number as it was written
  const std::vector<Json> &items() const { return items_; }       // an Array's elements, an Object's values
  const std::vector<std::string> &keys() const { return keys_; }  // an Object's keys, in the order of items()

  // An Object's value by its key, or nullptr.
  const Json *find(std::string_view key) const {
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (keys_[i] == key) return &items_[i];
    }
    return nullptr;
  }

  // A Number's value if it is whole and fits, however it was written: 1000, 1e3 and 1000.0 are the same number.
  std::optional<int64_t> integer() const;

  double number() const;

 private:
  friend class JsonParser;
  Type type_ = Type::Null;
  bool boolean_ = false;
  std::string text_;
  std::vector<Json> items_;
  std::vector<std::string> keys_;
};

}  // namespace weft
