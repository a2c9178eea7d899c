// Piece: something that a tool shows while it still works: a part of its output, or how far it is.
//
// Why      A tool that works for seconds has something to say before its answer exists.
// Holds    Pieces are never signed and decide nothing; the answer does not depend on who saw them.
// Units    A piece costs its text and limits::piece_overhead_bytes against what its reader granted.
#pragma once

#include <cstdint>
#include <string>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "model/limits.hpp"

namespace creto {

struct Piece {
    enum class Kind : std::uint8_t {
        text,      ///< Goes on where the text before it ended.
        json,      ///< A value of its own, as canonical JSON.
        progress,  ///< Takes the place of the progress before it.
    };
    Kind kind = Kind::text;
    std::string text;         ///< Of progress: what is being done.
    std::uint64_t done = 0;   ///< Of progress.
    std::uint64_t total = 0;  ///< Of progress; 0: nobody knows.
    friend bool operator==(const Piece&, const Piece&) = default;
};

[[nodiscard]] inline std::size_t cost_of(const Piece& piece) {
    return piece.text.size() + limits::piece_overhead_bytes;
}
[[nodiscard]] const char* to_string(Piece::Kind kind);

void encode(Writer& w, const Piece& v);
void decode(Reader& r, Piece& v);

}  // namespace creto
