#include "state/lane_book.hpp"

#include "model/limits.hpp"

namespace creto {

namespace {

constexpr std::string_view lane_prefix = "lane/";

/// What one leaf holds.
struct LaneLeaf {
    Seat seat;
    std::vector<LaneBook::Opened> opened;
};

void encode(Writer& w, const LaneBook::Opened& v) {
    creto::encode(w, v.at);
    creto::encode(w, v.life);
}
void decode(Reader& r, LaneBook::Opened& v) {
    creto::decode(r, v.at);
    creto::decode(r, v.life);
}
void encode(Writer& w, const LaneLeaf& v) {
    creto::encode(w, v.seat);
    w.uvarint(v.opened.size());
    for (const LaneBook::Opened& opened : v.opened)
        encode(w, opened);
}
void decode(Reader& r, LaneLeaf& v) {
    creto::decode(r, v.seat);
    v.opened.resize(r.count(limits::lane_resets_max, Digest::size + 1));
    for (std::size_t i = 0; i < v.opened.size() && r.ok(); ++i) {
        decode(r, v.opened[i]);
        if (i > 0 && v.opened[i].at < v.opened[i - 1].at) r.fail(DecodeError::bad_value);
    }
    if (v.opened.empty()) r.fail(DecodeError::bad_value);
}
std::string lane_key(Seat seat) {
    return std::string{lane_prefix} + std::to_string(seat.value());
}

}  // namespace

LaneId LaneBook::of(Seat seat) const {
    const auto found = resets_.find(seat);
    const std::size_t count = found == resets_.end() ? 0 : found->second.size();
    return {seat, Incarnation{static_cast<std::uint32_t>(count)}};
}

const Digest* LaneBook::life(const LaneId& lane) const {
    const auto found = resets_.find(lane.seat);
    const std::uint32_t number = lane.incarnation.value();
    if (number == 0 || found == resets_.end() || number > found->second.size()) return nullptr;
    return &found->second[number - 1].life;
}

tl::expected<LaneId, std::string> LaneBook::reset(
    Seat seat, const LaneResetOperation& wanted, Height height, MerkleMap& map
) {
    const LaneId ends = of(seat);
    if (wanted.opens != ends.incarnation.next()) {
        return tl::unexpected<std::string>(
            "the seat writes lane " + lane_text(ends) + " by now, so the next one is not " +
            lane_text({seat, wanted.opens})
        );
    }
    if (ends.incarnation.value() >= limits::lane_resets_max) {
        return tl::unexpected<std::string>(
            "the seat has left " + std::to_string(limits::lane_resets_max) +
            " lanes behind: it needs another key (`creto roster rotate`)"
        );
    }
    resets_[seat].push_back({height, wanted.life});
    map.set(lane_key(seat), encode_bytes(LaneLeaf{seat, resets_.at(seat)}));
    return ends;
}

Result<void> LaneBook::restore(const MerkleMap& map) {
    resets_.clear();
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with(lane_prefix)) return;
        auto leaf = decode_exact<LaneLeaf>(value);
        good = good && leaf && key == lane_key(leaf->seat);
        if (good) resets_.emplace(leaf->seat, std::move(leaf->opened));
    });
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the lanes is malformed");
    return {};
}

}  // namespace creto
