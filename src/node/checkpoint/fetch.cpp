#include "node/checkpoint/fetch.hpp"

namespace creto {

namespace {

constexpr Duration patience = Duration::from_s(5);
/// Parts that are on their way at once.
constexpr std::uint32_t asked_ahead = 2 * limits::checkpoint_parts_asked;
/// So many may be left; then all get another chance.
constexpr std::size_t left_max = 64;

}  // namespace

void CheckpointFetch::on_offer(
    const AgentId& from,
    const Checked<const OfferedCheckpoint&>& offered,
    Height executed,
    Instant now,
    Effects& effects
) {
    if (under_way_ || offered->checkpoint.height() <= executed) return;
    if (left_.contains(from)) {
        // It may be the only one that is there: the offer after this one is taken again.
        left_.erase(from);
        return;
    }
    under_way_ = UnderWay{
        .from = from,
        .offered = *offered,
        .parts = std::vector<Bytes>(offered->checkpoint.parts.size()),
        .deadline = now + patience};
    ask_more(effects);
}

void CheckpointFetch::ask_more(Effects& effects) {
    UnderWay& at = *under_way_;
    const auto whole = static_cast<std::uint32_t>(at.parts.size());
    while (at.asked < whole && at.asked < at.arrived + asked_ahead) {
        const std::uint32_t count = std::min(limits::checkpoint_parts_asked, whole - at.asked);
        effects.send(at.from, CheckpointRequest{at.offered.checkpoint.height(), at.asked, count});
        at.asked += count;
    }
}

std::optional<CheckpointFetch::Arrived> CheckpointFetch::on_part(
    const AgentId& from, const CheckpointPart& part, Instant now, Effects& effects
) {
    if (!under_way_ || from != under_way_->from) return std::nullopt;
    UnderWay& at = *under_way_;
    const Checkpoint& checkpoint = at.offered.checkpoint;
    if (part.height != checkpoint.height() || part.number >= at.asked ||
        !at.parts[part.number].empty())
        return std::nullopt;
    // The digests are the peer's own: of parts of other lengths the whole could still be the state.
    if (part.bytes.size() != checkpoint_part_size(checkpoint.state_bytes, part.number) ||
        hash(HashDomain::checkpoint_part, part.bytes) != checkpoint.parts[part.number]) {
        leave();
        return std::nullopt;
    }
    at.parts[part.number] = part.bytes;
    at.deadline = now + patience;
    if (++at.arrived < at.parts.size()) {
        ask_more(effects);
        return std::nullopt;
    }
    Arrived whole{at.from, std::move(at.offered), {}};
    for (const Bytes& bytes : at.parts)
        whole.state.insert(whole.state.end(), bytes.begin(), bytes.end());
    under_way_.reset();
    return whole;
}

void CheckpointFetch::on_peer_down(const AgentId& peer) {
    if (under_way_ && under_way_->from == peer) under_way_.reset();
}

void CheckpointFetch::on_time(Instant now) {
    if (under_way_ && now >= under_way_->deadline) leave();
}

void CheckpointFetch::leave() {
    if (left_.size() >= left_max) left_.clear();
    left_.insert(under_way_->from);
    under_way_.reset();
}

}  // namespace creto
