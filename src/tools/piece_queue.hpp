// PieceQueue: what a tool showed and its reader has not taken yet, in bounded memory.
//
// Why      A tool shows as fast as it works, its reader takes as fast as it reads. Neither must wait for
//          the other, and nobody may hold more for them than a named limit.
// Holds    [CALL-STREAM.3] Never more than bytes_max by cost_of(). Texts that follow each other become
//          one, up to limits::piece_bytes_max, unless one between them was left out; a progress takes
//          the place of the one that waits. What finds no room is left out and counted, never what was
//          there before it. What comes out is in the order in which it went in, and UTF-8.
// Cost     O(1) a piece; O(pieces) for a progress.
#pragma once

#include <deque>
#include <optional>

#include "model/piece.hpp"
#include "tools/json.hpp"

namespace creto {

/// Where a running tool puts what it has so far. Its thread calls it.
class PieceSink {
public:
    virtual ~PieceSink() = default;
    /// False: nobody waits for the tool any more, and it had better end.
    [[nodiscard]] virtual bool show(Piece piece) = 0;
};

[[nodiscard]] Piece text_piece(std::string text);
[[nodiscard]] Piece json_piece(const Json& value);
[[nodiscard]] Piece progress_piece(std::uint64_t done, std::uint64_t total, std::string what = {});

class PieceQueue {
public:
    struct Waiting {
        Piece piece;
        std::uint64_t lost = 0;  ///< How many were left out before it.
    };

    explicit PieceQueue(std::size_t bytes_max = limits::stream_held_bytes)
        : bytes_max_{bytes_max} {}

    /// A text that is longer than a piece may be becomes several; any other that is, or that nobody
    /// could read (no UTF-8, no JSON), counts as lost.
    void push(Piece piece);
    /// Null when there is none.
    [[nodiscard]] const Piece* front() const {
        return pieces_.empty() ? nullptr : &pieces_.front().piece;
    }
    /// Requires: !empty().
    [[nodiscard]] Waiting pop();
    [[nodiscard]] bool empty() const { return pieces_.empty(); }
    [[nodiscard]] std::size_t size() const { return pieces_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// Pieces that were left out.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    /// So many were left out elsewhere.
    void lose(std::uint64_t count) { lost_ += count; }

private:
    void push_text(std::string_view text);
    void put(Piece piece);

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::uint64_t lost_ = 0;
    std::deque<Waiting> pieces_;
};

}  // namespace creto
