#include "tools/piece_queue.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

/// Of what a progress says.
constexpr std::size_t progress_text_max = 256;

/// The beginning of the text, no longer than so many bytes, that ends between two code points.
std::string_view beginning(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    std::size_t end = bytes_max;
    while (end > 0 && continues(end))
        --end;
    return text.substr(0, end);
}

}  // namespace

Piece text_piece(std::string text) {
    return {Piece::Kind::text, std::move(text)};
}

Piece json_piece(const Json& value) {
    return {Piece::Kind::json, canonical(value)};
}

Piece progress_piece(std::uint64_t done, std::uint64_t total, std::string what) {
    return {Piece::Kind::progress, std::move(what), done, total};
}

void PieceQueue::push(Piece piece) {
    const bool readable =
        utf8::valid(piece.text) &&
        (piece.kind != Piece::Kind::json ||
         (piece.text.size() <= limits::piece_bytes_max && parse_json(piece.text).has_value()));
    if (!readable) {
        ++lost_;
        return;
    }
    if (piece.kind == Piece::Kind::text) return push_text(piece.text);
    if (piece.kind == Piece::Kind::progress) {
        piece.text = beginning(piece.text, progress_text_max);
        const auto earlier =
            std::find_if(pieces_.begin(), pieces_.end(), [](const Waiting& waiting) {
                return waiting.piece.kind == Piece::Kind::progress;
            });
        if (earlier != pieces_.end()) {
            if (bytes_ - cost_of(earlier->piece) + cost_of(piece) > bytes_max_) {
                ++lost_;
                return;
            }
            bytes_ -= cost_of(earlier->piece);
            pieces_.erase(earlier);
        }
    }
    put(std::move(piece));
}

/// A text goes on where the one before it ended, so that nothing is lost by their being one piece.
void PieceQueue::push_text(std::string_view text) {
    while (!text.empty()) {
        Waiting* last = pieces_.empty() ? nullptr : &pieces_.back();
        if (last != nullptr && last->piece.kind == Piece::Kind::text && last->lost == lost_) {
            std::string& before = last->piece.text;
            const std::size_t room =
                std::min(limits::piece_bytes_max - before.size(), bytes_max_ - bytes_);
            const std::string_view more = beginning(text, room);
            before += more;
            bytes_ += more.size();
            text.remove_prefix(more.size());
            if (text.empty()) return;
        }
        const std::string_view next = beginning(text, limits::piece_bytes_max);
        if (bytes_ + next.size() + limits::piece_overhead_bytes > bytes_max_) {
            ++lost_;  // All that is left of it.
            return;
        }
        put(text_piece(std::string{next}));
        text.remove_prefix(next.size());
    }
}

void PieceQueue::put(Piece piece) {
    const std::size_t cost = cost_of(piece);
    if (piece.text.size() > limits::piece_bytes_max || bytes_ + cost > bytes_max_) {
        ++lost_;
        return;
    }
    bytes_ += cost;
    pieces_.push_back({std::move(piece), lost_});
}

PieceQueue::Waiting PieceQueue::pop() {
    CRETO_ASSERT(!pieces_.empty());
    Waiting waiting = std::move(pieces_.front());
    pieces_.pop_front();
    bytes_ -= cost_of(waiting.piece);
    return waiting;
}

}  // namespace creto
