// What tools show while they work, at both ends: as it is sent, and as the caller's watcher sees it.
#include "node/node_impl.hpp"
#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

bool readable(const Piece& piece) {
    if (!utf8::valid(piece.text)) return false;
    return piece.kind != Piece::Kind::json || parse_json(piece.text).has_value();
}

}  // namespace

void NodeImpl::on(const Emitted& event) {
    server_.on_emitted(event, now_, effects_);
}

/// A watcher sees one attempt at a time: that of whoever showed something first, until it came to
/// nothing. [CALL-STREAM.4]
void NodeImpl::on_piece(const AgentId& from, const CallPiece& piece) {
    const CallClient::PieceTaken taken = client_.on_piece(from, piece);
    const bool is_wrong =
        taken.fate == CallClient::PieceFate::over_credit || !readable(piece.piece);
    const auto call = plain_.find(taken.token);
    if (is_wrong || taken.fate == CallClient::PieceFate::late || call == plain_.end()) {
        count(Count::pieces_ignored);
        if (is_wrong) drop(from, "a piece that it had no credit for, or that nobody can read");
        return;
    }
    PlainCall& plain = call->second;
    PlainCall::Asked& asked = plain.under_way.at(from);
    if (!plain.shown) {
        plain.shown = {from, asked.attempt, piece.id};
    } else if (plain.shown->over) {
        plain.shown = {from, asked.attempt, piece.id};
        show(plain.command, *plain.shown, nullptr, 0);
    } else if (plain.shown->provider != from) {
        ++asked.unseen;
        count(Count::pieces_ignored);
        return;
    }
    show(plain.command, *plain.shown, &piece, taken.lost + asked.unseen);
}

/// Without a piece: what was shown before does not count.
void NodeImpl::show(
    Ticket command, const PlainCall::Shown& shown, const CallPiece* piece, std::uint64_t lost
) {
    ShowPiece out{command, {.attempt = shown.attempt, .provider = shown.provider, .piece = {}}};
    if (piece != nullptr) {
        count(Count::pieces_shown);
        out.shown.number = piece->number;
        out.shown.lost = lost;
        out.shown.piece = piece->piece;
    }
    effects_.add(std::move(out));
}

/// Its connection was lost and is back: another run of the tool.
void NodeImpl::sent_again(const CallClient::Again& again) {
    const auto found = plain_.find(again.token);
    if (found == plain_.end()) return;
    PlainCall& call = found->second;
    call.under_way.at(again.provider).attempt = ++call.attempts;
    if (call.shown && call.shown->provider == again.provider) call.shown->over = true;
}

void NodeImpl::command(Ticket ticket, const PiecesTaken& taken) {
    const auto token = call_commands_.find(taken.command);
    const auto call = token == call_commands_.end() ? plain_.end() : plain_.find(token->second);
    if (call != plain_.end()) {
        const auto& shown = call->second.shown;
        if (shown && !shown->over && shown->attempt == taken.attempt)
            client_.took(shown->provider, shown->id, taken.bytes, effects_);
    }
    reply(ticket, Done{});
}

}  // namespace creto
