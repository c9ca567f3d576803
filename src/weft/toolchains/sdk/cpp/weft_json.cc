#include "weft_json.h"

#include <cstdlib>
#include <utility>

namespace weft {

std::optional<int64_t> Json::integer() const {
  if (type_ != Type::Number) return std::nullopt;
  std::string digits;
  size_t i = text_[0] == '-' ? 1 : 0;
  int64_t exponent = 0;
  for (bool fraction = false; i < text_.size() && (text_[i] | 0x20) != 'e'; ++i) {
    if (text_[i] == '.') {
      fraction = true;
    } else {
      digits += text_[i];
      if (fraction) --exponent;
    }
  }
  if (i < text_.size()) {
    const bool negative = text_[++i] == '-';
    if (text_[i] == '-' || text_[i] == '+') ++i;
    int64_t written = 0;
    for (; i < text_.size(); ++i) written = written < 100'000'000 ? written * 10 + (text_[i] - '0') : written;
    exponent += negative ? -written : written;
  }
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  digits.erase(0, digits.find_first_not_of('0'));  // npos erases all: zero
  if (digits.empty()) return 0;
  if (exponent < 0 || static_cast<int64_t>(digits.size()) + exponent > 19) return std::nullopt;
  digits.append(static_cast<size_t>(exponent), '0');
  const bool negative = text_[0] == '-';
  uint64_t magnitude = 0;  // 19 digits always fit
  for (const char digit : digits) magnitude = magnitude * 10 + static_cast<uint64_t>(digit - '0');
  const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  if (magnitude > limit) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
}

double Json::number() const { return ::strtod(text_.c_str(), nullptr); }

// Recursive descent. Every method returns false after noting the first mistake.
class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  bool document(Json *out) {
    if (text_.size() > Json::kMaxBytes) return fail("more than 1 MiB of JSON");
    space();
    if (!value(out, 0)) return false;
    space();
    return at_ == text_.size() || fail("unexpected text after the value");
  }

  std::string problem() const {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at_; ++i) {
      if (text_[i] == '\n') {
        ++line;
        column = 1;
      } else if ((text_[i] & 0xC0) != 0x80) {  // columns are characters, not bytes
        ++column;
      }
    }
    return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + problem_;
  }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  // Fails at an earlier place than where reading got to.
  bool failAt(size_t place, std::string problem) {
    at_ = place;
    return fail(std::move(problem));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void space() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }

  bool value(Json *out, size_t depth) {
    switch (peek()) {
      case '{':
        return object(out, depth);
      case '[':
        return array(out, depth);
      case '"':
        out->type_ = Json::Type::String;
        return string(&out->text_);
      case 't':
        return word("true", out, Json::Type::Bool, true);
      case 'f':
        return word("false", out, Json::Type::Bool, false);
      case 'n':
        return word("null", out, Json::Type::Null, false);
      default:
        return number(out);
    }
  }

  bool word(std::string_view expected, Json *out, Json::Type type, bool boolean) {
    if (text_.substr(at_, expected.size()) != expected) return fail("expected a value");
    at_ += expected.size();
    out->type_ = type;
    out->boolean_ = boolean;
    return true;
  }

  bool number(Json *out) {
    const size_t start = at_;
    accept('-');
    if (!accept('0') && !digits()) return failAt(start, "expected a value");
    if (accept('.') && !digits()) return fail("expected a digit");
    if (accept('e') || accept('E')) {
      if (!accept('+')) accept('-');
      if (!digits()) return fail("expected a digit");
    }
    out->type_ = Json::Type::Number;
    out->text_ = text_.substr(start, at_ - start);
    return true;
  }

  bool digits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != start;
  }

  bool array(Json *out, size_t depth) {
    out->type_ = Json::Type::Array;
    if (!enter(depth)) return false;
    if (accept(']')) return true;
    do {
      space();
      if (!value(&out->items_.emplace_back(), depth + 1)) return false;
      space();
    } while (accept(','));
    return accept(']') || fail("expected ',' or ']'");
  }

  bool object(Json *out, size_t depth) {
    out->type_ = Json::Type::Object;
    if (!enter(depth)) return false;
    if (accept('}')) return true;
    do {
      space();
      if (!member(out, depth)) return false;
      space();
    } while (accept(','));
    return accept('}') || fail("expected ',' or '}'");
  }

  bool enter(size_t depth) {
    if (depth == Json::kMaxDepth) return fail("nested deeper than " + std::to_string(Json::kMaxDepth));
    ++at_;
    space();
    return true;
  }

  bool member(Json *out, size_t depth) {
    const size_t start = at_;
    std::string key;
    if (peek() != '"') return fail("expected a key in double quotes");
    if (!string(&key)) return false;
    if (out->keys_.size() == Json::kMaxKeys) return failAt(start, "more than 4096 keys in one object");
    if (out->find(key) != nullptr) return failAt(start, "the key \"" + key + "\" is given twice");
    space();
    if (!accept(':')) return fail("expected ':'");
    space();
    out->keys_.push_back(std::move(key));
    return value(&out->items_.emplace_back(), depth + 1);
  }

  bool string(std::string *out) {
    const size_t start = at_++;
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < 0x20) return fail("a control character in a string must be escaped");
      if (byte == '\\') {
        if (!escape(out)) return false;
      } else if (byte < 0x80) {
        *out += text_[at_++];
      } else if (!utf8(out)) {
        return false;
      }
    }
    return failAt(start, "the string does not end");
  }

  bool escape(std::string *out) {
    constexpr std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const size_t start = at_++;
    const char name = peek();
    if (name == 'u') {
      uint32_t code = 0;
      return codePoint(start, &code) && append(code, out);
    }
    const size_t known = name == '\0' ? std::string_view::npos : names.find(name);
    if (known == std::string_view::npos) return failAt(start, "unknown escape");
    ++at_;
    *out += meanings[known];
    return true;
  }

  // \uXXXX, or the two of them that make a surrogate pair.
  bool codePoint(size_t start, uint32_t *code) {
    uint32_t high = 0, low = 0;
    if (!hex(start, &high)) return false;
    *code = high;
    if (high < 0xD800 || high > 0xDFFF) return true;
    if (high > 0xDBFF || !accept('\\') || peek() != 'u') return failAt(start, "half a surrogate pair");
    if (!hex(start, &low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return failAt(start, "half a surrogate pair");
    *code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
  }

  bool hex(size_t start, uint32_t *out) {
    ++at_;  // the u
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek(), lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        *out = *out * 16 + static_cast<uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        *out = *out * 16 + static_cast<uint32_t>(lower - 'a') + 10;
      } else {
        return failAt(start, "\\u needs four hexadecimal digits");
      }
    }
    return true;
  }

  static bool append(uint32_t code, std::string *out) {
    const auto put = [out](uint32_t byte) { *out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    }
    return true;
  }

  // One well-formed sequence of more than one byte (RFC 3629, section 4).
  bool utf8(std::string *out) {
    const auto byte = [this](size_t i) {
      return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0U;
    };
    const unsigned first = byte(0), second = byte(1);
    const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;   // else there is a shorter form
    const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;  // surrogates; above U+10FFFF
    bool good = first >= 0xC2 && first <= 0xF4 && second >= lowest && second <= highest;
    for (size_t i = 2; i < length; ++i) good = good && byte(i) >= 0x80 && byte(i) <= 0xBF;
    if (!good) return fail("not UTF-8");
    out->append(text_.substr(at_, length));
    at_ += length;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

std::optional<Json> Json::parse(std::string_view text, std::string *problem) {
  JsonParser parser(text);
  Json result;
  if (parser.document(&result)) return result;
  *problem = parser.problem();
  return std::nullopt;
}

}  // namespace weft
