#include "model/block.hpp"

#include <algorithm>

namespace creto {

namespace {

/// What follows the byte that says whether a block has a report: as it always was, or of groups.
constexpr std::uint8_t report_none = 0;
constexpr std::uint8_t report_of_links = 1;
constexpr std::uint8_t report_of_groups = 2;

std::uint8_t report_form(const Block& block) {
    if (!block.turnout) return report_none;
    return block.turnout->often ? report_of_groups : report_of_links;
}

bool ascend(const std::vector<Seat>& seats) {
    return std::adjacent_find(seats.begin(), seats.end(), [](Seat a, Seat b) { return b <= a; }) ==
           seats.end();
}

}  // namespace

BlockId Block::id() const {
    Writer w;
    encode(w, *this);
    return BlockId{hash(HashDomain::block, w.view())};
}

VoteContent Block::content(VoteKind kind) const {
    CRETO_ASSERT(kind != VoteKind::nullify);
    return {.kind = kind, .epoch = epoch, .view = view, .parent_view = parent_view, .block = id()};
}

Vote Proposal::leader_vote() const {
    return {
        .content = block.content(VoteKind::notarize),
        .seat = block.proposer,
        .signature = signature};
}

BlockId genesis_block_id(const ChainId& chain) {
    return BlockId{hash(HashDomain::block, chain.value().view())};
}

void apply(Cut& cut, const std::vector<LaneRange>& delta) {
    for (const LaneRange& range : delta)
        cut.set(range.lane, {range.last, range.tip});
}

Result<void> well_formed(const Block& block) {
    if (block.view == View{} || block.parent_view >= block.view || block.height == Height{}) {
        return fail(ErrorCode::invalid, "block: view, parent view and height do not fit together");
    }
    if (block.echo_of && (!block.next_roster || !block.delta.empty())) {
        return fail(
            ErrorCode::invalid, "block: an echo repeats the end of an epoch, and nothing else"
        );
    }
    if (block.executed.height >= block.height) {
        return fail(ErrorCode::invalid, "block: it claims to have executed itself");
    }
    if (block.turnout) {
        const bool ascends = ascend(block.turnout->absent) &&
                             (!block.turnout->often || ascend(*block.turnout->often));
        if (block.echo_of || !ascends || block.turnout->height >= block.height ||
            block.turnout->height == Height{})
            return fail(ErrorCode::invalid, "block: what it says of earlier votes is no report");
    }
    std::uint64_t vertices = 0;
    for (std::size_t i = 0; i < block.delta.size(); ++i) {
        const LaneRange& range = block.delta[i];
        if ((i > 0 && !(block.delta[i - 1].lane < range.lane)) || range.first == Sequence{} ||
            range.last < range.first) {
            return fail(ErrorCode::invalid, "block: ranges are empty or not in lane order");
        }
        const std::uint64_t span = range.last.value() - range.first.value();
        if (span >= limits::block_vertices_max - vertices) {
            return fail(ErrorCode::limit, "block: it covers too many vertices");
        }
        vertices += span + 1;
    }
    return {};
}

void encode(Writer& w, const LaneRange& v) {
    encode(w, v.lane);
    encode(w, v.first);
    encode(w, v.last);
    encode(w, v.tip);
}
void decode(Reader& r, LaneRange& v) {
    decode(r, v.lane);
    decode(r, v.first);
    decode(r, v.last);
    decode(r, v.tip);
}

void encode(Writer& w, const ExecutedMark& v) {
    encode(w, v.height);
    encode(w, v.state_root);
    encode(w, v.order_digest);
}

void decode(Reader& r, ExecutedMark& v) {
    decode(r, v.height);
    decode(r, v.state_root);
    decode(r, v.order_digest);
}

void encode(Writer& w, const Turnout& v) {
    encode(w, v.height);
    encode_list(w, v.absent);
}
void decode(Reader& r, Turnout& v) {
    decode(r, v.height);
    decode_list(r, v.absent, limits::seats_max, 1);
}

void encode(Writer& w, const Block& v) {
    encode(w, v.epoch);
    encode(w, v.view);
    encode(w, v.parent_view);
    encode(w, v.height);
    encode(w, v.parent);
    encode(w, v.proposer);
    encode_list(w, v.delta);
    encode(w, v.cut_root);
    encode(w, v.executed);
    w.boolean(v.next_roster.has_value());
    if (v.next_roster) {
        encode(w, *v.next_roster);
        w.boolean(v.echo_of.has_value());
        if (v.echo_of) encode(w, *v.echo_of);
    }
    w.u8(report_form(v));
    if (v.turnout) encode(w, *v.turnout);
    if (v.turnout && v.turnout->often) encode_list(w, *v.turnout->often);
}
void decode(Reader& r, Block& v) {
    decode(r, v.epoch);
    decode(r, v.view);
    decode(r, v.parent_view);
    decode(r, v.height);
    decode(r, v.parent);
    decode(r, v.proposer);
    decode_list(r, v.delta, limits::lanes_per_message_max, 36);
    decode(r, v.cut_root);
    decode(r, v.executed);
    v.next_roster.reset();
    v.echo_of.reset();
    if (r.boolean()) {
        decode(r, v.next_roster.emplace());
        if (r.boolean()) decode(r, v.echo_of.emplace());
    }
    v.turnout.reset();
    const std::uint8_t form = r.kind(report_of_groups);
    if (form != report_none) decode(r, v.turnout.emplace());
    if (form == report_of_groups) decode_list(r, v.turnout->often.emplace(), limits::seats_max, 1);
}

void encode(Writer& w, const Proposal& v) {
    encode(w, v.block);
    encode(w, v.signature);
}
void decode(Reader& r, Proposal& v) {
    decode(r, v.block);
    decode(r, v.signature);
}

}  // namespace creto
