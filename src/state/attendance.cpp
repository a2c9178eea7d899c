#include "state/attendance.hpp"

#include <algorithm>
#include <functional>

#include "model/limits.hpp"

namespace creto {

namespace {

std::string attendance_key(Seat seat) {
    return std::string{Attendance::prefix} + std::to_string(seat.value());
}

/// Reports of one seat that all must have missed another.
std::uint32_t share_of(const Roster& voters) {
    return (voters.dead_after_reports() + voters.size() - 1) / voters.size();
}

/// So many that say so contain an honest one; and a few cannot outlast the others.
std::size_t witnesses(const Quorum& quorum) {
    return std::max(quorum.t, quorum.q / 2) + 1;
}

void encode_leaf(Writer& w, Seat seat, const Attendance::Misses& misses) {
    encode(w, seat);
    w.uvarint(misses.size());
    for (const auto& [by, count] : misses) {
        encode(w, by);
        w.uvarint(count);
    }
}

}  // namespace

void Attendance::on_report(Seat by, const std::vector<Seat>& absent, MerkleMap& map) {
    for (const Seat seat : absent) {
        std::uint32_t& count = unseen_[seat][by];
        count = std::min(count + 1, limits::dead_after_reports_max);
        write(seat, map);
    }
    for (auto at = unseen_.begin(); at != unseen_.end();) {
        const auto next = std::next(at);
        const Seat seat = at->first;
        const bool is_seen = !std::binary_search(absent.begin(), absent.end(), seat);
        if (is_seen && at->second.erase(by) > 0) {
            if (at->second.empty()) unseen_.erase(at);
            write(seat, map);
        }
        at = next;
    }
}

void Attendance::seen(Seat seat, MerkleMap& map) {
    if (unseen_.erase(seat) > 0) write(seat, map);
}

void Attendance::keep(const std::set<Seat>& seats, MerkleMap& map) {
    for (auto at = unseen_.begin(); at != unseen_.end();) {
        const auto next = std::next(at);
        const Seat seat = at->first;
        const std::size_t others = std::erase_if(at->second, [&](const auto& miss) {
            return !seats.contains(miss.first);
        });
        const bool goes = !seats.contains(seat) || at->second.empty();
        if (goes) unseen_.erase(at);
        if (goes || others > 0) write(seat, map);
        at = next;
    }
}

std::uint32_t Attendance::missed(Seat seat, const Roster& voters) const {
    const auto misses = unseen_.find(seat);
    if (misses == unseen_.end() || voters.find(seat) == nullptr) return 0;
    std::vector<std::uint32_t> counts;
    for (const auto& [by, count] : misses->second) {
        if (by != seat && voters.find(by) != nullptr) counts.push_back(count);
    }
    const std::size_t needed = witnesses(voters.quorum());
    if (counts.size() < needed) return 0;
    std::sort(counts.begin(), counts.end(), std::greater<>{});
    return counts[needed - 1];
}

std::vector<Seat> Attendance::dead(const Roster& voters) const {
    if (voters.dead_after_reports() == 0) return {};
    std::vector<std::pair<std::uint32_t, Seat>> found;
    for (const auto& [seat, misses] : unseen_) {
        const std::uint32_t count = missed(seat, voters);
        if (count >= share_of(voters)) found.emplace_back(~count, seat);
    }
    std::sort(found.begin(), found.end());
    std::vector<Seat> seats;
    for (const auto& [rank, seat] : found)
        seats.push_back(seat);
    return seats;
}

bool Attendance::going_missing(Seat seat, const Roster& voters) const {
    if (voters.dead_after_reports() == 0) return false;
    return missed(seat, voters) >= std::max(1U, share_of(voters) / 2);
}

void Attendance::write(Seat seat, MerkleMap& map) const {
    const auto misses = unseen_.find(seat);
    if (misses == unseen_.end()) {
        map.erase(attendance_key(seat));
        return;
    }
    Writer w;
    encode_leaf(w, seat, misses->second);
    map.set(attendance_key(seat), w.take());
}

bool Attendance::restore(const std::string& key, ByteView value) {
    Reader r{value};
    Seat seat;
    decode(r, seat);
    Misses misses;
    // Seats of two rosters, while an epoch changes.
    const std::size_t count = r.count(2 * limits::seats_max, 2);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        Seat by;
        decode(r, by);
        const std::uint64_t missed = r.uvarint();
        const bool follows = misses.empty() || misses.rbegin()->first < by;
        const bool counts = missed > 0 && missed <= limits::dead_after_reports_max;
        if (!follows || !counts) r.fail(DecodeError::bad_value);
        misses.emplace(by, static_cast<std::uint32_t>(missed));
    }
    const bool good =
        r.finish() == DecodeError::none && !misses.empty() && key == attendance_key(seat);
    return good && unseen_.emplace(seat, std::move(misses)).second;
}

}  // namespace creto
