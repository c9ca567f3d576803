// Regular expressions for configurations that come from somebody else.
//
// std::regex aborts the module on a bad expression (there are no exceptions here), can take exponential time on a good
// one and brings locales along. This one says what is wrong with an expression, reads each byte once, and is small.
//
// It answers one question: does the whole text match? Known: literals, . (any byte but a line break), [a-z] [^a-z],
// \d \w \s \D \W \S, \n \r \t \f \v \xHH, groups ( ) (?: ) (?P<name> ) (?<name> ), |, * + ? {n} {n,} {n,m} and their
// lazy forms, ^ $, and (?i) in front for ASCII letters of either case. Not known, and refused: back references,
// lookaround, \b, characters beyond ASCII.
//
// How: each character of the expression is a position (Glushkov's automaton); the set of positions reached so far is a
// row of bits, and a byte of text turns one set into the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Regex {
 public:
  // Counted repeats are written out, so an expression may be longer than it looks. 64 positions are a set of one word.
  static constexpr size_t kMaxPositions = 512;

  // The expression, or nothing, with `problem` saying what is wrong with it.
  static std::optional<Regex> compile(std::string_view pattern, std::string *problem);

  bool matches(std::string_view text) const;

 private:
  friend class RegexParser;
  friend class RegexRun;

  // A set of positions is `words` words of bits: 1, or enough for kMaxPositions.
  struct Tables {
    size_t words = 1;
    std::vector<uint64_t> after;  // position → set of those that may come next; position 0 is before the first
    std::vector<uint64_t> reads;  // symbol → set of the positions that read it
    std::vector<uint64_t> last;   // the set where a match may end
  };
  Tables tables_;
};

}  // namespace weft
