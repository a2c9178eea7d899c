#include "tools/pattern.hpp"

#include <algorithm>

#include "tools/utf8.hpp"

namespace creto {

namespace {

constexpr char32_t nothing = utf8::bad;  // Before the first and behind the last code point.

bool contains(const std::vector<Pattern::Range>& set, char32_t code) {
    const auto it =
        std::upper_bound(set.begin(), set.end(), code, [](char32_t c, const Pattern::Range& r) {
            return c < r.first;
        });
    return it != set.begin() && code <= std::prev(it)->last;
}

bool is_word(char32_t code) {
    return (code >= U'0' && code <= U'9') || (code >= U'A' && code <= U'Z') ||
           (code >= U'a' && code <= U'z') || code == U'_';
}

/// The instructions that are alive at one place in the text.
class Threads {
public:
    explicit Threads(std::size_t size) : in_(size, 0) { list_.reserve(size); }
    /// False when it was there already.
    bool add(std::uint32_t pc) {
        if (in_[pc] == mark_) return false;
        in_[pc] = mark_;
        return true;
    }
    void clear() {
        list_.clear();
        ++mark_;
    }
    std::vector<std::uint32_t>& list() { return list_; }

private:
    std::vector<std::uint32_t> list_;  ///< Those that wait for a code point.
    std::vector<std::uint32_t> in_;    ///< Generation in which each was added last.
    std::uint32_t mark_ = 1;
};

class Machine {
public:
    explicit Machine(const Pattern::Program& program)
        : program_{program},
          now_{program.instructions.size()},
          next_{program.instructions.size()} {}

    bool run(std::string_view text) {
        char32_t before = nothing;
        std::size_t at = 0;  // Behind `after`.
        char32_t after = text.empty() ? nothing : utf8::next(text, at);
        while (true) {
            // A new attempt starts at every place, behind those that are under way.
            if (follow(now_, 0, before, after)) return true;
            if (after == nothing) return false;
            const char32_t code = after;
            after = at == text.size() ? nothing : utf8::next(text, at);
            next_.clear();
            for (const std::uint32_t pc : now_.list()) {
                const auto& instruction = program_.instructions[pc];
                if (!contains(program_.sets[instruction.a], code)) continue;
                if (follow(next_, pc + 1, code, after)) return true;
            }
            before = code;
            std::swap(now_, next_);
        }
    }

private:
    /// Adds `pc` and all that it leads to without taking a code point; true when that is the end.
    bool follow(Threads& threads, std::uint32_t pc, char32_t before, char32_t after) {
        using Operation = Pattern::Operation;
        pending_.assign(1, pc);
        while (!pending_.empty()) {
            const std::uint32_t at = pending_.back();
            pending_.pop_back();
            if (!threads.add(at)) continue;
            const auto& instruction = program_.instructions[at];
            switch (instruction.operation) {
                case Operation::match:
                    return true;
                case Operation::set:
                    threads.list().push_back(at);
                    break;
                case Operation::jump:
                    pending_.push_back(instruction.a);
                    break;
                case Operation::split:
                    pending_.push_back(instruction.b);
                    pending_.push_back(instruction.a);
                    break;
                case Operation::text_begin:
                    if (before == nothing) pending_.push_back(at + 1);
                    break;
                case Operation::text_end:
                    if (after == nothing) pending_.push_back(at + 1);
                    break;
                case Operation::word_boundary:
                    if (is_word(before) != is_word(after)) pending_.push_back(at + 1);
                    break;
                case Operation::not_word_boundary:
                    if (is_word(before) == is_word(after)) pending_.push_back(at + 1);
                    break;
            }
        }
        return false;
    }

    const Pattern::Program& program_;
    Threads now_;
    Threads next_;
    std::vector<std::uint32_t> pending_;
};

}  // namespace

bool Pattern::found_in(std::string_view text) const {
    return Machine{*program_}.run(text);
}

std::uint64_t Pattern::cost(std::size_t text_bytes) const {
    return 1 + program_->instructions.size() * (std::uint64_t{text_bytes} + 1);
}

}  // namespace creto
