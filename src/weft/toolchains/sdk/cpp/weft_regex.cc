#include "weft_regex.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <utility>

namespace weft {

// What a position can read: a byte, or that here the text begins or ends.
constexpr size_t kBegin = 256, kEnd = 257, kSymbols = 258;
using Symbols = std::bitset<kSymbols>;

constexpr size_t kMaxWords = Regex::kMaxPositions / 64;

// A text going through the automaton.
class RegexRun {
 public:
  static bool matches(const Regex &regex, std::string_view text) {
    const RegexRun run(regex.tables_);
    return regex.tables_.words == 1 ? run.through<1>(text) : run.through<kMaxWords>(text);
  }

 private:
  template <size_t words>
  using Set = std::array<uint64_t, words>;

  explicit RegexRun(const Regex::Tables &tables) : tables_(tables) {}

  // The positions that follow those of `set` and read what `reads` says.
  template <size_t words>
  Set<words> step(const Set<words> &set, const uint64_t *reads) const {
    Set<words> next{};
    for (size_t word = 0; word < words; ++word) {
      for (uint64_t bits = set[word]; bits != 0; bits &= bits - 1) {
        const uint64_t *after = &tables_.after[(word * 64 + static_cast<size_t>(__builtin_ctzll(bits))) * words];
        for (size_t i = 0; i < words; ++i) next[i] |= after[i];
      }
    }
    for (size_t i = 0; i < words; ++i) next[i] &= reads[i];
    return next;
  }

  template <size_t words>
  static bool overlap(const Set<words> &set, const uint64_t *other) {
    uint64_t both = 0;
    for (size_t i = 0; i < words; ++i) both |= set[i] & other[i];
    return both != 0;
  }

  // ^ and $ are passed without reading a byte.
  template <size_t words>
  void pass(Set<words> *set, size_t symbol) const {
    for (bool grew = true; grew;) {
      grew = false;
      const Set<words> more = step<words>(*set, &tables_.reads[symbol * words]);
      for (size_t i = 0; i < words; ++i) {
        grew = grew || (more[i] & ~(*set)[i]) != 0;
        (*set)[i] |= more[i];
      }
    }
  }

  template <size_t words>
  bool through(std::string_view text) const {
    Set<words> set{1};
    pass<words>(&set, kBegin);
    for (const char c : text) {
      set = step<words>(set, &tables_.reads[static_cast<unsigned char>(c) * words]);
      if (!overlap<words>(set, set.data())) return false;
    }
    pass<words>(&set, kEnd);
    if (text.empty()) {  // here ^ may follow $
      pass<words>(&set, kBegin);
      pass<words>(&set, kEnd);
    }
    return overlap<words>(set, tables_.last.data());
  }

  const Regex::Tables &tables_;
};

// Recursive descent that builds the automaton on the way. Every method returns false after noting the first mistake.
class RegexParser {
 public:
  explicit RegexParser(std::string_view pattern) : pattern_(pattern) {}

  bool parse() {
    if (pattern_.substr(0, 4) == "(?i)") {
      fold_ = true;
      at_ = 4;
    }
    Part whole;
    if (!alternatives(&whole, 0)) return false;
    if (at_ < pattern_.size()) return fail("unmatched )");
    after_[0] = whole.first;
    last_ = whole.last;
    last_.set(0, whole.empty);
    return true;
  }

  const std::string &problem() const { return problem_; }

  Regex finish() const {
    Regex result;
    Regex::Tables &tables = result.tables_;
    const size_t count = symbols_.size();
    const size_t words = tables.words = count <= 64 ? 1 : kMaxWords;
    tables.after.resize(count * words);
    tables.reads.resize(kSymbols * words);
    tables.last.resize(words);
    for (size_t position = 0; position < count; ++position) {
      copy(after_[position], count, &tables.after[position * words]);
      for (size_t symbol = 0; symbol < kSymbols; ++symbol) {
        if (symbols_[position].test(symbol)) tables.reads[symbol * words + position / 64] |= bit(position);
      }
    }
    copy(last_, count, tables.last.data());
    return result;
  }

 private:
  using Positions = std::bitset<Regex::kMaxPositions>;

  // A piece of the expression: where it can begin and end, and whether it can match nothing.
  struct Part {
    Positions first, last;
    bool empty = true;
  };

  // The inner part of (a{9}){9} is read again for each of the outer nine.
  static constexpr size_t kMaxSteps = 10'000;
  static constexpr size_t kMaxDepth = 64;
  static constexpr size_t kNoLimit = SIZE_MAX;

  static uint64_t bit(size_t position) { return uint64_t{1} << position % 64; }

  static void copy(const Positions &from, size_t count, uint64_t *to) {
    for (size_t position = 0; position < count; ++position) {
      if (from.test(position)) to[position / 64] |= bit(position);
    }
  }

  bool fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }

  bool done() const { return at_ == pattern_.size(); }
  char peek() const { return done() ? '\0' : pattern_[at_]; }
  bool sees(char c) const { return !done() && pattern_[at_] == c; }
  bool accept(char c) {
    if (!sees(c)) return false;
    ++at_;
    return true;
  }

  void connect(const Positions &from, const Positions &to) {
    for (size_t position = 0; position < after_.size(); ++position) {
      if (from.test(position)) after_[position] |= to;
    }
  }

  void append(Part *head, const Part &tail) {
    connect(head->last, tail.first);
    if (head->empty) head->first |= tail.first;
    if (!tail.empty) head->last.reset();
    head->last |= tail.last;
    head->empty = head->empty && tail.empty;
  }

  bool alternatives(Part *out, size_t depth) {
    if (depth == kMaxDepth) return fail("groups nested deeper than " + std::to_string(kMaxDepth));
    if (!sequence(out, depth)) return false;
    while (accept('|')) {
      Part other;
      if (!sequence(&other, depth)) return false;
      out->first |= other.first;
      out->last |= other.last;
      out->empty = out->empty || other.empty;
    }
    return true;
  }

  bool sequence(Part *out, size_t depth) {
    while (!done() && !sees('|') && !sees(')')) {
      Part next;
      if (!repeated(&next, depth)) return false;
      append(out, next);
    }
    return true;
  }

  bool repeated(Part *out, size_t depth) {
    const size_t start = at_;
    if (!atom(out, depth)) return false;
    size_t least = 1, most = 1;
    if (!count(&least, &most)) return false;
    if (least == 1 && most == 1) return true;
    const size_t end = at_;
    Part atom_again = std::move(*out);
    *out = Part();
    const size_t copies = most == kNoLimit ? std::max<size_t>(least, 1) : most;
    for (size_t i = 0; i < copies; ++i) {
      if (i > 0) {
        at_ = start;
        atom_again = Part();
        if (!atom(&atom_again, depth)) return false;
      }
      if (most == kNoLimit && i + 1 == copies) connect(atom_again.last, atom_again.first);
      if (i >= least) atom_again.empty = true;
      append(out, atom_again);
    }
    at_ = end;
    return true;
  }

  // * + ? {n} {n,} {n,m}, each with an optional ? that says nothing to a match of the whole text.
  bool count(size_t *least, size_t *most) {
    if (accept('*')) {
      *least = 0;
      *most = kNoLimit;
    } else if (accept('+')) {
      *most = kNoLimit;
    } else if (accept('?')) {
      *least = 0;
    } else if (accept('{')) {
      if (!number(least)) return fail("{ must be a count as in {2,4}, or be written \\{");
      *most = *least;
      if (accept(',') && !number(most)) *most = kNoLimit;
      if (!accept('}')) return fail("{ must be a count as in {2,4}, or be written \\{");
      if (*most < *least) return fail("a count that ends before it begins");
    } else {
      return true;
    }
    accept('?');
    return !(sees('*') || sees('+') || sees('?') || sees('{')) || fail("a repeat of a repeat");
  }

  bool number(size_t *out) {
    const size_t start = at_;
    size_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = std::min<size_t>(value * 10 + static_cast<size_t>(peek() - '0'), Regex::kMaxPositions + 1);
    }
    if (at_ != start) *out = value;
    return at_ != start;
  }

  bool atom(Part *out, size_t depth) {
    if (++steps_ > kMaxSteps) return fail("too large");
    const char c = pattern_[at_++];
    Symbols symbols;
    switch (c) {
      case '(':
        return group(out, depth);
      case '[':
        return set(&symbols) && position(symbols, out);
      case '\\':
        return escape(&symbols) && position(symbols, out);
      case '.':
        return position(bytes("\r\n").flip() & anyByte(), out);
      case '^':
        symbols.set(kBegin);
        return position(symbols, out);
      case '$':
        symbols.set(kEnd);
        return position(symbols, out);
      case '*':
      case '+':
      case '?':
      case '{':
        return fail(std::string("nothing to repeat before ") + c);
      default:
        return literal(c, &symbols) && position(symbols, out);
    }
  }

  bool group(Part *out, size_t depth) {
    if (accept('?') && !groupKind()) return false;
    if (!alternatives(out, depth + 1)) return false;
    return accept(')') || fail("missing )");
  }

  bool groupKind() {
    if (accept(':')) return true;
    const bool named = accept('P') ? accept('<') : accept('<');
    const size_t start = at_;
    while (named && (peek() == '_' || isAlphanumeric(peek()))) ++at_;
    return (named && at_ != start && accept('>')) || fail("only (?: ) and (?<name> ) are known of the (? groups");
  }

  bool set(Symbols *out) {
    const bool negated = accept('^');
    bool first = true;
    for (; !done() && (first || !sees(']')); first = false) {
      size_t from = 0, to = 0;
      if (!member(out, &from)) return false;
      if (from == kNoLimit || !sees('-') || at_ + 1 >= pattern_.size() || pattern_[at_ + 1] == ']') continue;
      ++at_;
      if (!member(out, &to)) return false;
      if (to == kNoLimit || to < from) return fail("a range in [ ] that ends before it begins");
      for (; from <= to; ++from) out->set(from);
    }
    if (!accept(']')) return fail("missing ]");
    if (fold_) foldCase(out);
    if (negated) *out = out->flip() & anyByte();
    return true;
  }

  // One character of a set, or a class such as \d: then `code` is kNoLimit.
  bool member(Symbols *out, size_t *code) {
    Symbols symbols;
    if (sees('[') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] == ':') return fail("[: :] is not known");
    const char c = pattern_[at_++];
    if (c == '\\' ? !escape(&symbols) : !literal(c, &symbols)) return false;
    *code = kNoLimit;
    if (escaped_class_ && c == '\\') {
      *out |= symbols;
      return true;
    }
    // In a set that folds, the fold comes last: here the character itself counts.
    *code = literal_;
    out->set(literal_);
    return true;
  }

  bool literal(char c, Symbols *out) {
    literal_ = static_cast<unsigned char>(c);
    if (literal_ >= 0x80) return fail("only ASCII is known; percent-encode other characters");
    out->set(literal_);
    if (fold_) foldCase(out);
    return true;
  }

  bool escape(Symbols *out) {
    if (done()) return fail("\\ at the end");
    const char name = pattern_[at_++];
    escaped_class_ = classOf(name, out);
    if (escaped_class_) return true;
    constexpr std::string_view names = "nrtfv", meanings = "\n\r\t\f\v";
    if (const size_t known = names.find(name); known != std::string_view::npos) return literal(meanings[known], out);
    if (name == 'x') return hexadecimal(out);
    if (isAlphanumeric(name)) return fail(std::string("\\") + name + " is not known");
    return literal(name, out);
  }

  bool hexadecimal(Symbols *out) {
    size_t value = 0;
    for (int i = 0; i < 2; ++i, ++at_) {
      const char c = peek(), lower = static_cast<char>(c | 0x20);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && (lower < 'a' || lower > 'f')) return fail("\\x needs two hexadecimal digits");
      value = value * 16 + static_cast<size_t>(digit ? c - '0' : lower - 'a' + 10);
    }
    return literal(static_cast<char>(value), out);
  }

  static bool classOf(char name, Symbols *out) {
    constexpr std::string_view digits = "0123456789", spaces = " \t\n\v\f\r",
                               letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    switch (name | 0x20) {
      case 'd':
        *out = bytes(digits);
        break;
      case 's':
        *out = bytes(spaces);
        break;
      case 'w':
        *out = bytes(digits) | bytes(letters);
        break;
      default:
        return false;
    }
    if (name < 'a') *out = out->flip() & anyByte();  // \D \S \W
    return true;
  }

  static Symbols bytes(std::string_view wanted) {
    Symbols result;
    for (const char c : wanted) result.set(static_cast<unsigned char>(c));
    return result;
  }

  static Symbols anyByte() {
    Symbols result;
    result.set();
    result.reset(kBegin);
    result.reset(kEnd);
    return result;
  }

  static bool isAlphanumeric(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
  }

  static void foldCase(Symbols *symbols) {
    for (size_t lower = 'a'; lower <= 'z'; ++lower) {
      const size_t upper = lower - 'a' + 'A';
      const bool either = symbols->test(lower) || symbols->test(upper);
      symbols->set(lower, either);
      symbols->set(upper, either);
    }
  }

  bool position(const Symbols &symbols, Part *out) {
    if (symbols_.size() == Regex::kMaxPositions) return fail("too large");
    out->first.set(symbols_.size());
    out->last = out->first;
    out->empty = false;
    symbols_.push_back(symbols);
    after_.emplace_back();
    return true;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  size_t steps_ = 0;
  bool fold_ = false;
  bool escaped_class_ = false;  // what escape() read last
  size_t literal_ = 0;          // what literal() read last
  std::vector<Symbols> symbols_{Symbols()};
  std::vector<Positions> after_{Positions()};
  Positions last_;
  std::string problem_;
};

std::optional<Regex> Regex::compile(std::string_view pattern, std::string *problem) {
  RegexParser parser(pattern);
  if (parser.parse()) return parser.finish();
  *problem = parser.problem();
  return std::nullopt;
}

bool Regex::matches(std::string_view text) const { return RegexRun::matches(*this, text); }

}  // namespace weft
