// Pattern: a regular expression of ECMAScript that is matched in linear time.
//
// Why      Patterns come from the schemas of strangers; a backtracking engine can be made to run
// for
//          hours by a few characters.
// Source   Thompson 1968 and Pike's machine as Cox describes them (swtch.com/~rsc/regexp): all
//          alternatives advance together over the text, one code point at a time.
// Holds    Work is at most instructions times code points. Matching is a search, as JSON Schema
// asks:
//          the pattern may match anywhere in the text unless it is anchored.
// Limits   Look-around, back references and \p{...} are refused by name, as is a pattern with over
//          8,192 instructions once its counted repetitions are written out.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace creto {

class Pattern {
public:
    static constexpr std::size_t bytes_max = 4'096;
    static constexpr std::size_t instructions_max = 8'192;
    static constexpr std::size_t depth_max = 64;  ///< Groups inside each other.

    /// Requires: UTF-8.
    [[nodiscard]] static Result<Pattern> compile(std::string_view text);

    /// Whether the pattern matches somewhere in the text. Requires: UTF-8.
    [[nodiscard]] bool found_in(std::string_view text) const;

    /// What found_in() costs at most for a text of this size, in steps of about 10 ns.
    [[nodiscard]] std::uint64_t cost(std::size_t text_bytes) const;

    [[nodiscard]] std::size_t instruction_count() const { return program_->instructions.size(); }

    struct Range {
        char32_t first = 0;
        char32_t last = 0;
    };
    enum class Operation : std::uint8_t {
        set,                ///< A code point of set `a`; go on behind.
        split,              ///< Go on at `a` and at `b`.
        jump,               ///< Go on at `a`.
        text_begin,         ///< Only at the start of the text.
        text_end,           ///< Only at its end.
        word_boundary,      ///< Only between \w and \W.
        not_word_boundary,  ///< Only elsewhere.
        match,
    };
    struct Instruction {
        Operation operation = Operation::match;
        std::uint32_t a = 0;
        std::uint32_t b = 0;
    };
    struct Program {
        std::vector<Instruction> instructions;
        std::vector<std::vector<Range>> sets;  ///< Each sorted, without overlap.
    };

private:
    explicit Pattern(std::shared_ptr<const Program> program) : program_{std::move(program)} {}
    std::shared_ptr<const Program> program_;
};

}  // namespace creto
