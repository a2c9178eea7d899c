// Output: how commands speak: one JSON document, or lines for people; errors on stderr.
#pragma once

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"

namespace creto {

using JsonDoc = nlohmann::ordered_json;

/// A text as it is, and anything else as JSON: for people.
[[nodiscard]] inline std::string text_of(const JsonDoc& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}
/// What is no UTF-8 is replaced.
[[nodiscard]] inline std::string in_one_line(const JsonDoc& doc) {
    return doc.dump(-1, ' ', false, JsonDoc::error_handler_t::replace);
}

namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int partial = 3;
inline constexpr int unreachable = 4;
inline constexpr int tool_error = 5;
inline constexpr int denied = 6;
inline constexpr int no_quorum = 10;
inline constexpr int refuted = 11;
}  // namespace exit_code

struct Output {
    bool json = false;

    /// The document with --json, else the lines.
    void say(const JsonDoc& doc, const std::string& lines) const {
        if (json) {
            std::cout << doc.dump(2, ' ', false, JsonDoc::error_handler_t::replace) << "\n";
        } else {
            std::cout << lines;
            if (!lines.empty() && lines.back() != '\n') std::cout << "\n";
        }
        std::cout.flush();
    }
    /// Prints the error and returns the exit code.
    [[nodiscard]] int fail(const Error& error, int code) const {
        if (json) {
            const JsonDoc doc{
                {"ok", false},
                {"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
            std::cout << doc.dump(2) << "\n";
        }
        std::cerr << "creto: " << error.message << "\n";
        return code;
    }
};

}  // namespace creto
