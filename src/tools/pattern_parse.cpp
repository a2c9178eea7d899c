// Reads a pattern into a small tree and writes the tree out as instructions.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "tools/pattern.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

using Range = Pattern::Range;
using Ranges = std::vector<Range>;
using PatternOperation = Pattern::Operation;

constexpr char32_t last_code = 0x10FFFF;
constexpr std::uint32_t unbounded = 0xFFFFFFFF;
constexpr std::uint32_t repeat_max = 1'000;

/// Sorted and without overlap.
Ranges tidied(Ranges ranges) {
    std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.first < b.first; });
    Ranges out;
    for (const Range& range : ranges) {
        if (!out.empty() && range.first <= out.back().last + 1) {
            out.back().last = std::max(out.back().last, range.last);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

Ranges inverted(const Ranges& ranges) {
    Ranges out;
    char32_t from = 0;
    for (const Range& range : tidied(ranges)) {
        if (range.first > from) out.push_back({from, range.first - 1});
        from = range.last + 1;
    }
    if (from <= last_code) out.push_back({from, last_code});
    return out;
}

constexpr std::array digits{Range{U'0', U'9'}};
constexpr std::array words{
    Range{U'0', U'9'}, Range{U'A', U'Z'}, Range{U'_', U'_'}, Range{U'a', U'z'}};
/// WhiteSpace and LineTerminator of ECMA-262.
constexpr std::array spaces{
    Range{0x09, 0x0D},
    Range{0x20, 0x20},
    Range{0xA0, 0xA0},
    Range{0x1680, 0x1680},
    Range{0x2000, 0x200A},
    Range{0x2028, 0x2029},
    Range{0x202F, 0x202F},
    Range{0x205F, 0x205F},
    Range{0x3000, 0x3000},
    Range{0xFEFF, 0xFEFF}};
constexpr std::array line_ends{Range{0x0A, 0x0A}, Range{0x0D, 0x0D}, Range{0x2028, 0x2029}};

template <std::size_t N>
Ranges listed(const std::array<Range, N>& ranges) {
    return Ranges(ranges.begin(), ranges.end());
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Moved, never copied: it owns its parts.
struct Tree {
    Tree() = default;
    Tree(Tree&&) noexcept = default;
    Tree& operator=(Tree&&) noexcept = default;
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() = default;

    enum class Kind : std::uint8_t { empty, set, assertion, sequence, alternatives, repeat };
    Kind kind = Kind::empty;
    std::uint32_t set = 0;  ///< Index among the sets.
    PatternOperation assertion = PatternOperation::text_begin;
    std::vector<Tree> parts;
    std::uint32_t least = 0;
    std::uint32_t most = 0;
};

/// What an escape stands for: one code point, or a class of them.
struct Escape {
    Ranges ranges;
    bool single = false;
};

class PatternParser {
public:
    explicit PatternParser(std::string_view text) : text_{text} {}

    Result<Tree> run() {
        Tree tree = alternatives(0);
        if (error_.empty() && at_ != text_.size()) refuse("unmatched )");
        if (!error_.empty()) {
            return fail(
                ErrorCode::invalid, "pattern: " + error_ + " at byte " + std::to_string(error_at_)
            );
        }
        return tree;
    }

    std::vector<Ranges> take_sets() { return std::move(sets_); }

private:
    void refuse(std::string what) {
        if (!error_.empty()) return;
        error_ = std::move(what);
        error_at_ = at_;
        at_ = text_.size();
    }
    [[nodiscard]] bool done() const { return at_ == text_.size(); }
    [[nodiscard]] bool comes(char c) const { return !done() && text_[at_] == c; }
    bool take(char c) {
        if (!comes(c)) return false;
        ++at_;
        return true;
    }
    bool take(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }

    Tree alternatives(std::size_t depth);
    Tree sequence(std::size_t depth);
    Tree term(std::size_t depth);
    Tree group(std::size_t depth);
    Tree escaped_term();
    Tree quantified(Tree tree);
    std::optional<std::pair<std::uint32_t, std::uint32_t>> braces();
    std::optional<std::uint32_t> count();
    Ranges bracket();
    Escape bracket_member();
    Escape escape(bool in_bracket);
    char32_t hex(std::size_t size);
    char32_t unicode_escape();
    Tree set_of(Ranges ranges);

    std::string_view text_;
    std::size_t at_ = 0;
    std::string error_;
    std::size_t error_at_ = 0;
    std::vector<Ranges> sets_;
};

Tree PatternParser::set_of(Ranges ranges) {
    Tree tree;
    tree.kind = Tree::Kind::set;
    tree.set = static_cast<std::uint32_t>(sets_.size());
    sets_.push_back(tidied(std::move(ranges)));
    return tree;
}

Tree assertion(PatternOperation operation) {
    Tree tree;
    tree.kind = Tree::Kind::assertion;
    tree.assertion = operation;
    return tree;
}

// Recursion is bounded by Pattern::depth_max. NOLINTBEGIN(misc-no-recursion)

Tree PatternParser::alternatives(std::size_t depth) {
    Tree tree;
    tree.kind = Tree::Kind::alternatives;
    do {
        tree.parts.push_back(sequence(depth));
    } while (take('|'));
    if (tree.parts.size() > 1) return tree;
    Tree only = std::move(tree.parts.front());
    return only;
}

Tree PatternParser::sequence(std::size_t depth) {
    Tree tree;
    tree.kind = Tree::Kind::sequence;
    while (!done() && !comes('|') && !comes(')'))
        tree.parts.push_back(quantified(term(depth)));
    return tree;
}

Tree PatternParser::term(std::size_t depth) {
    if (take('(')) return group(depth + 1);
    if (take('[')) return set_of(bracket());
    if (take('\\')) return escaped_term();
    if (take('.')) return set_of(inverted(listed(line_ends)));
    if (take('^')) return assertion(PatternOperation::text_begin);
    if (take('$')) return assertion(PatternOperation::text_end);
    if (comes('*') || comes('+') || comes('?')) {
        refuse("nothing to repeat");
        return {};
    }
    const char32_t code = utf8::next(text_, at_);
    return set_of({{code, code}});
}

Tree PatternParser::group(std::size_t depth) {
    if (depth > Pattern::depth_max) {
        refuse("groups nested too deep");
        return {};
    }
    if (take('?')) {
        if (comes('=') || comes('!') || take("<=") || take("<!")) {
            refuse("look-around is not supported");
            return {};
        }
        if (take('<')) {
            while (!done() && !comes('>'))
                ++at_;
            if (!take('>')) refuse("a group's name does not end");
        } else if (!take(':')) {
            refuse("unknown kind of group");
        }
    }
    Tree tree = alternatives(depth);
    if (!take(')')) refuse("missing )");
    return tree;
}

// NOLINTEND(misc-no-recursion)

Tree PatternParser::escaped_term() {
    if (take('b')) return assertion(PatternOperation::word_boundary);
    if (take('B')) return assertion(PatternOperation::not_word_boundary);
    return set_of(escape(false).ranges);
}

Tree PatternParser::quantified(Tree tree) {
    std::optional<std::pair<std::uint32_t, std::uint32_t>> bounds;
    if (take('*')) {
        bounds = {0, unbounded};
    } else if (take('+')) {
        bounds = {1, unbounded};
    } else if (take('?')) {
        bounds = {0, 1};
    } else if (comes('{')) {
        bounds = braces();
    }
    if (!bounds) return tree;
    if (tree.kind == Tree::Kind::assertion) refuse("an assertion cannot be repeated");
    take('?');  // Lazy: another order of search, the same answer.
    if (comes('*') || comes('+') || comes('?')) refuse("nothing to repeat");
    Tree repeat;
    repeat.kind = Tree::Kind::repeat;
    repeat.least = bounds->first;
    repeat.most = bounds->second;
    repeat.parts.push_back(std::move(tree));
    return repeat;
}

/// {n}, {n,} or {n,m}; a brace that opens none of these stands for itself, as in browsers.
std::optional<std::pair<std::uint32_t, std::uint32_t>> PatternParser::braces() {
    const std::size_t start = at_++;
    const auto least = count();
    std::optional<std::uint32_t> most = least;
    if (least && take(',')) most = comes('}') ? std::optional{unbounded} : count();
    if (!least || !most || !take('}')) {
        at_ = start;
        return std::nullopt;
    }
    if (*least > repeat_max || (*most != unbounded && *most > repeat_max)) {
        refuse("more than " + std::to_string(repeat_max) + " repetitions");
    }
    if (*most < *least) refuse("the bounds of a repetition are in the wrong order");
    return std::pair{*least, *most};
}

std::optional<std::uint32_t> PatternParser::count() {
    std::uint32_t value = 0;
    const std::size_t start = at_;
    for (; !done() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        const auto digit = static_cast<std::uint32_t>(text_[at_] - '0');
        value = std::min(value * 10 + digit, repeat_max + 1);
    }
    return at_ == start ? std::nullopt : std::optional{value};
}

Ranges PatternParser::bracket() {
    const bool invert = take('^');
    Ranges ranges;
    while (!comes(']')) {
        if (done()) {
            refuse("missing ]");
            return {};
        }
        const Escape low = bracket_member();
        const bool is_range = comes('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
        if (!is_range) {
            ranges.insert(ranges.end(), low.ranges.begin(), low.ranges.end());
            continue;
        }
        ++at_;
        const Escape high = bracket_member();
        if (!error_.empty()) return {};
        if (low.single && high.single) {
            const Range range{low.ranges.front().first, high.ranges.front().first};
            if (range.first > range.last) refuse("a range in the wrong order");
            ranges.push_back(range);
        } else {
            refuse("a class cannot bound a range");
        }
    }
    ++at_;
    return invert ? inverted(ranges) : ranges;
}

Escape PatternParser::bracket_member() {
    if (take('\\')) return escape(true);
    if (done()) {
        refuse("missing ]");
        return {};
    }
    const char32_t code = utf8::next(text_, at_);
    return {.ranges = {{code, code}}, .single = true};
}

Escape PatternParser::escape(bool in_bracket) {
    if (done()) {
        refuse("the pattern ends with \\");
        return {};
    }
    const auto one = [](char32_t code) { return Escape{.ranges = {{code, code}}, .single = true}; };
    const char32_t code = utf8::next(text_, at_);
    constexpr std::string_view letters = "tnvfr";
    if (code < 0x80) {
        if (const auto i = letters.find(static_cast<char>(code)); i != std::string_view::npos) {
            return one(static_cast<unsigned char>("\t\n\v\f\r"[i]));
        }
    }
    switch (code) {
        case U'd':
            return {.ranges = listed(digits)};
        case U'D':
            return {.ranges = inverted(listed(digits))};
        case U'w':
            return {.ranges = listed(words)};
        case U'W':
            return {.ranges = inverted(listed(words))};
        case U's':
            return {.ranges = listed(spaces)};
        case U'S':
            return {.ranges = inverted(listed(spaces))};
        case U'x':
            return one(hex(2));
        case U'u':
            return one(unicode_escape());
        case U'b':
            if (in_bracket) return one(0x08);
            break;
        case U'c':
            if (!done() && is_letter(text_[at_])) {
                return one(static_cast<char32_t>(text_[at_++]) & 0x1FU);
            }
            break;
        case U'0':
            if (done() || text_[at_] < '0' || text_[at_] > '9') return one(0);
            break;
        case U'p':
        case U'P':
            refuse("Unicode properties are not supported");
            return {};
        case U'k':
            refuse("back references are not supported");
            return {};
        default:
            break;
    }
    if (code >= U'1' && code <= U'9') {
        refuse("back references are not supported");
        return {};
    }
    if (code < 0x80 && (is_letter(static_cast<char>(code)) || code == U'0')) {
        refuse("unknown escape");
        return {};
    }
    return one(code);
}

char32_t PatternParser::hex(std::size_t size) {
    char32_t code = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const int digit = done() ? -1 : hex_digit(text_[at_]);
        if (digit < 0) {
            refuse("expected a hexadecimal digit");
            return 0;
        }
        code = code * 16 + static_cast<char32_t>(digit);
        ++at_;
    }
    return code;
}

/// \u{...}, \uXXXX, or the two halves of a surrogate pair.
char32_t PatternParser::unicode_escape() {
    if (take('{')) {
        char32_t code = 0;
        while (!done() && !comes('}') && code <= last_code)
            code = code * 16 + hex(1);
        if (!take('}') || code > last_code) refuse("not a code point");
        return code;
    }
    const char32_t high = hex(4);
    if (high < 0xD800 || high > 0xDBFF || !text_.substr(at_).starts_with("\\u")) return high;
    const std::size_t back = at_;
    at_ += 2;
    const char32_t low = hex(4);
    if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00);
    if (error_.empty()) at_ = back;
    return high;
}

/// Writes a tree as instructions, or says that there are too many.
class PatternWriter {
public:
    Pattern::Program program;
    bool overflow = false;

    // Recursion is bounded by Pattern::depth_max. NOLINTBEGIN(misc-no-recursion)
    void write(const Tree& tree) {
        // Groups that emit nothing still take time when what is around them is repeated.
        if (++visits_ > 4 * Pattern::instructions_max) overflow = true;
        if (overflow) return;
        switch (tree.kind) {
            case Tree::Kind::empty:
                break;
            case Tree::Kind::set:
                emit({.operation = PatternOperation::set, .a = tree.set});
                break;
            case Tree::Kind::assertion:
                emit({.operation = tree.assertion});
                break;
            case Tree::Kind::sequence:
                for (const Tree& part : tree.parts)
                    write(part);
                break;
            case Tree::Kind::alternatives:
                alternatives(tree);
                break;
            case Tree::Kind::repeat:
                repeat(tree);
                break;
        }
    }
    std::uint32_t emit(Pattern::Instruction instruction) {
        const std::uint32_t at = here();
        if (at >= Pattern::instructions_max) {
            overflow = true;
            return 0;
        }
        program.instructions.push_back(instruction);
        return at;
    }

private:
    [[nodiscard]] std::uint32_t here() const {
        return static_cast<std::uint32_t>(program.instructions.size());
    }
    void alternatives(const Tree& tree) {
        std::vector<std::uint32_t> exits;
        for (std::size_t i = 0; i < tree.parts.size() && !overflow; ++i) {
            if (i + 1 == tree.parts.size()) {
                write(tree.parts[i]);
                break;
            }
            const std::uint32_t split = emit({.operation = PatternOperation::split});
            if (overflow) return;
            program.instructions[split].a = here();
            write(tree.parts[i]);
            exits.push_back(emit({.operation = PatternOperation::jump}));
            if (overflow) return;
            program.instructions[split].b = here();
        }
        for (const std::uint32_t exit : exits)
            program.instructions[exit].a = here();
    }
    void repeat(const Tree& tree) {
        const Tree& part = tree.parts.front();
        for (std::uint32_t i = 0; i < tree.least && !overflow; ++i) {
            const std::uint32_t before = here();
            write(part);
            if (here() == before) break;  // Nothing, however often.
        }
        if (tree.most == unbounded) {
            const std::uint32_t split = emit({.operation = PatternOperation::split});
            if (overflow) return;
            program.instructions[split].a = here();
            write(part);
            emit({.operation = PatternOperation::jump, .a = split});
            program.instructions[split].b = here();
            return;
        }
        std::vector<std::uint32_t> splits;
        for (std::uint32_t i = tree.least; i < tree.most && !overflow; ++i) {
            splits.push_back(emit({.operation = PatternOperation::split}));
            if (overflow) return;
            program.instructions[splits.back()].a = here();
            write(part);
        }
        for (const std::uint32_t split : splits)
            program.instructions[split].b = here();
    }
    // NOLINTEND(misc-no-recursion)
    std::size_t visits_ = 0;
};

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text) {
    if (text.size() > bytes_max) {
        return fail(ErrorCode::limit, "pattern: more than " + std::to_string(bytes_max) + " bytes");
    }
    PatternParser parser{text};
    auto tree = parser.run();
    if (!tree) return tl::unexpected<Error>(std::move(tree.error()));
    PatternWriter writer;
    writer.program.sets = parser.take_sets();
    writer.write(*tree);
    writer.emit({.operation = PatternOperation::match});
    if (writer.overflow) {
        return fail(
            ErrorCode::limit,
            "pattern: more than " + std::to_string(instructions_max) + " instructions"
        );
    }
    return Pattern{std::make_shared<const Program>(std::move(writer.program))};
}

}  // namespace creto
