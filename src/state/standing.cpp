#include "state/standing.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "model/leader.hpp"

namespace creto {

namespace {

constexpr const char* turns_prefix = "standing/turns";
/// Turns of so many neighbouring seats are one leaf, so that a turn writes as much in any network.
constexpr std::uint32_t seats_per_turns_leaf = 32;

std::uint32_t leaf_of(Seat seat) {
    return seat.value() / seats_per_turns_leaf;
}

std::string turns_key(std::uint32_t leaf) {
    std::string key = turns_prefix;
    if (leaf > 0) key += "/" + std::to_string(leaf);
    return key;
}

std::string votes_key(Seat seat) {
    return "standing/votes/" + std::to_string(seat.value());
}
std::string often_key(Seat seat) {
    return "standing/often/" + std::to_string(seat.value());
}
std::string suspect_key(Seat seat) {
    return "standing/suspect/" + std::to_string(seat.value());
}
std::string rest_key(Epoch epoch) {
    return "standing/rest/" + std::to_string(epoch.value());
}

using Cells = std::map<Seat, Standing::Cell>;

template <class At>
void encode_cells(Writer& w, At first, At last) {
    w.uvarint(static_cast<std::uint64_t>(std::distance(first, last)));
    for (auto at = first; at != last; ++at) {
        encode(w, at->first);
        w.u8(at->second.asked);
        w.u8(at->second.missed);
    }
}
/// Seats of two rosters: within an epoch those that have left and those that came both have theirs.
constexpr std::size_t cells_max = 2 * limits::seats_max;

void decode_cells(Reader& r, Cells& cells) {
    cells.clear();
    const std::size_t count = r.count(cells_max, 3);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        Seat seat;
        decode(r, seat);
        Standing::Cell cell{r.u8(), r.u8()};
        const bool follows = cells.empty() || cells.rbegin()->first < seat;
        if (!follows || cell.missed > cell.asked) r.fail(DecodeError::bad_value);
        cells.emplace(seat, cell);
    }
}

/// The greatest value that at least half of them reach: with as many liars as others, the lower.
std::uint32_t lower_median(std::vector<std::uint32_t> values) {
    CRETO_ASSERT(!values.empty());
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

std::uint32_t median_of(const std::map<Seat, std::uint32_t>& shares) {
    std::vector<std::uint32_t> values;
    for (const auto& [seat, share] : shares)
        values.push_back(share);
    return values.empty() ? 0 : lower_median(std::move(values));
}

std::string percent(std::uint32_t ppm) {
    return std::to_string((ppm + 5'000) / 10'000) + " %";
}

}  // namespace

void Standing::Cell::add(bool miss, std::uint8_t most) {
    if (asked >= most) {
        asked = static_cast<std::uint8_t>(asked / 2);
        missed = static_cast<std::uint8_t>(missed / 2);
    }
    ++asked;
    if (miss) ++missed;
}

std::string Standing::Suspicion::reason() const {
    std::string out;
    if (votes && through_groups)
        out = percent(votes_ppm) + " of the seats that report often miss its vote";
    if (votes && !through_groups)
        out = "most seats miss its vote in " + percent(votes_ppm) + " of blocks";
    if (turns) {
        out += out.empty() ? "" : "; ";
        out += "it let " + percent(turns_ppm) + " of its turns as leader pass";
    }
    return out;
}

std::vector<Notice> Standing::on_block(const Block& block, const Roster& voters, MerkleMap& map) {
    std::vector<Notice> notices;
    count_turns(block, voters, map);
    attendance_.seen(block.proposer, map);
    for (const LaneRange& range : block.delta)
        attendance_.seen(range.lane.seat, map);
    if (block.turnout) count_votes(block, voters, map);
    if (block.height.value() % judge_blocks == 0) judge(block, voters, map, notices);
    return notices;
}

// [STAND-TURNS.1]
void Standing::count_turns(const Block& block, const Roster& voters, MerkleMap& map) {
    const Terms terms{voters};
    const std::uint64_t of_parent = terms.number(block.parent_view);
    const std::uint64_t of_block = terms.number(block.view);
    if (of_block == of_parent) return;  // Still the same turn.
    // After a long halt one round of everybody says as much as a thousand.
    const std::uint64_t round = voters.leaders().size();
    const std::uint64_t first = std::max(of_parent + 1, of_block - std::min(of_block, round));
    std::set<std::uint32_t> changed;
    for (std::uint64_t term = first; term <= of_block; ++term) {
        const View view{(term - 1) * voters.term_views() + 1};
        const Seat leader = leader_of(voters, view);
        turns_[leader].add(term != of_block, turns_window);
        changed.insert(leaf_of(leader));
    }
    write_turns(changed, map);
}

void Standing::write_turns(const std::set<std::uint32_t>& leaves, MerkleMap& map) const {
    for (const std::uint32_t leaf : leaves) {
        const auto first = turns_.lower_bound(Seat{leaf * seats_per_turns_leaf});
        const auto last = std::find_if(first, turns_.end(), [leaf](const auto& cell) {
            return leaf_of(cell.first) != leaf;
        });
        if (first == last && leaf > 0) {
            map.erase(turns_key(leaf));
            continue;
        }
        Writer w;
        encode_cells(w, first, last);
        map.set(turns_key(leaf), w.take());
    }
}

void Standing::count_votes(const Block& block, const Roster& voters, MerkleMap& map) {
    if (block.turnout->often) return count_often(block, voters, map);
    const std::vector<Seat>& absent = block.turnout->absent;
    const Quorum& quorum = voters.quorum();
    Row& row = rows_[block.proposer];
    // Who got fewer votes than the block must have had says nothing about the others.
    if (block.turnout->height <= row.last || absent.size() > quorum.n - quorum.q) return;
    row.last = block.turnout->height;
    for (const Member& member : voters.members()) {
        if (member.seat == block.proposer) continue;
        const bool missed = std::binary_search(absent.begin(), absent.end(), member.seat);
        row.cells[member.seat].add(missed, reports_window);
    }
    map.set(votes_key(block.proposer), encode_bytes(row));
    if (often_.erase(block.proposer) > 0) map.erase(often_key(block.proposer));
    attendance_.on_report(block.proposer, absent, map);
}

void Standing::count_often(const Block& block, const Roster& voters, MerkleMap& map) {
    const Turnout& said = *block.turnout;
    const std::size_t most = voters.quorum().n - voters.quorum().q;
    Often& row = often_[block.proposer];
    // Who names more than may fail says nothing about the others.
    const bool counts =
        said.height > row.last && said.often->size() <= most && said.absent.size() <= most;
    if (!counts) return;
    row.last = said.height;
    row.missed = *said.often;
    std::erase_if(row.missed, [&](Seat seat) {
        return seat == block.proposer || !voters.index_of(seat);
    });
    map.set(often_key(block.proposer), encode_bytes(row));
    if (rows_.erase(block.proposer) > 0) map.erase(votes_key(block.proposer));
    attendance_.on_report(block.proposer, said.absent, map);
}

// [STAND-MEDIAN.2] Liars are at most t of those that report. Of the others some name somebody by bad luck.
std::size_t Standing::most_of(std::size_t reports, const Quorum& quorum) {
    const std::size_t others = reports - std::min<std::size_t>(reports, quorum.t);
    return std::max(reports / 2, quorum.t + (others + 7) / 8) + 1;
}

// Nothing, while fewer than all but t of the others report.
std::map<Seat, Standing::Named> Standing::often_missed(const Roster& voters) const {
    const std::size_t least = std::max<std::size_t>(voters.quorum().q, 2) - 1;
    if (often_.empty()) return {};
    std::vector<std::uint32_t> named(voters.size());
    std::vector<bool> reports(voters.size());
    std::uint32_t all = 0;
    for (const auto& [by, row] : often_) {
        const auto reporter = voters.index_of(by);
        if (!reporter || row.last == Height{}) continue;
        reports[*reporter] = true;
        ++all;
        for (const Seat seat : row.missed)
            if (const auto place = voters.index_of(seat)) ++named[*place];
    }
    std::map<Seat, Named> out;
    for (std::uint32_t i = 0; i < voters.size(); ++i) {
        const std::uint32_t others = all - (reports[i] ? 1 : 0);
        if (others >= least) out.emplace(voters.members()[i].seat, Named{named[i], others});
    }
    return out;
}

// [STAND-MEDIAN.1] Nothing about a seat of which fewer than all but t of the others reported enough.
std::map<Seat, std::uint32_t> Standing::votes_missed(const Roster& voters) const {
    std::map<Seat, std::uint32_t> out;
    const std::size_t least = std::max<std::size_t>(voters.quorum().q, 2) - 1;
    if (rows_.size() < least) return out;
    std::vector<std::uint32_t> said;
    for (const Member& about : voters.members()) {
        said.clear();
        for (const Member& by : voters.members()) {
            const auto row = rows_.find(by.seat);
            if (by.seat == about.seat || row == rows_.end()) continue;
            const auto cell = row->second.cells.find(about.seat);
            if (cell == row->second.cells.end() || cell->second.asked < reports_least) continue;
            said.push_back(cell->second.missed_ppm());
        }
        if (said.size() >= least) out.emplace(about.seat, lower_median(said));
    }
    return out;
}

std::map<Seat, std::uint32_t> Standing::turns_missed(const Roster& voters) const {
    std::map<Seat, std::uint32_t> out;
    for (const Member& member : voters.members()) {
        const Cell* cell = turns_.find(member.seat);
        if (cell != nullptr && cell->asked >= turns_least)
            out.emplace(member.seat, cell->missed_ppm());
    }
    return out;
}

void Standing::judge(
    const Block& block, const Roster& voters, MerkleMap& map, std::vector<Notice>& out
) {
    const auto votes = votes_missed(voters);
    const auto often = often_missed(voters);
    const auto turns = turns_missed(voters);
    const std::uint32_t usual_votes = median_of(votes);
    const std::uint32_t usual_turns = median_of(turns);
    const bool may_rest = voters.epochs().have_end();
    std::set<std::uint32_t> turns_changed;
    for (const Member& member : voters.members()) {
        const auto held = suspicions_.find(member.seat);
        const Suspicion before = held == suspicions_.end() ? Suspicion{} : held->second;
        Suspicion now = before;
        if (const auto share = votes.find(member.seat); share != votes.end()) {
            now.votes_ppm = share->second;
            // Lost slower than won, so that nobody hangs between the two.
            const std::uint32_t bar = before.votes ? votes_suspected_ppm / 2 : votes_suspected_ppm;
            now.votes = share->second >= usual_votes + bar;
            now.through_groups = false;
        } else if (const auto named = often.find(member.seat); named != often.end()) {
            const auto& [by, reports] = named->second;
            now.votes = by >= most_of(reports, voters.quorum());
            now.through_groups = now.votes;
            now.votes_ppm = static_cast<std::uint32_t>(by * std::uint64_t{1'000'000} / reports);
        }
        if (now.rests_through != Epoch{}) {
            if (block.epoch > now.rests_through) {
                now.turns = false;
                now.rests_through = Epoch{};
            }
        } else if (const auto share = turns.find(member.seat); share != turns.end()) {
            const std::uint32_t bar = before.turns ? turns_suspected_ppm / 2 : turns_suspected_ppm;
            now.turns = share->second >= usual_turns + bar;
            now.turns_ppm = share->second;
            if (now.turns && !before.turns && may_rest) {
                now.strikes = std::min<std::uint8_t>(now.strikes + 1, strikes_max);
                now.rests_through = block.epoch.plus(1 + (1ULL << (now.strikes - 1U)));
                turns_.erase(member.seat);  // It begins anew when it comes back.
                turns_changed.insert(leaf_of(member.seat));
            }
            if (!now.turns && turns_.find(member.seat)->asked >= turns_window / 2) now.strikes = 0;
        }
        if (now.holds() && !before.holds()) {
            now.since = block.height;
            out.emplace_back(SeatSuspected{member.seat, member.key, member.name, now.reason()});
        }
        if (!now.holds() && before.holds())
            out.emplace_back(SeatCleared{member.seat, member.key, member.name});
        if (!now.holds() && now.strikes == 0) now = Suspicion{};
        if (now == before) continue;
        if (now == Suspicion{}) {
            suspicions_.erase(member.seat);
        } else {
            suspicions_.insert_or_assign(member.seat, now);
        }
        write(member.seat, map);
    }
    write_turns(turns_changed, map);
}

void Standing::write(Seat seat, MerkleMap& map) const {
    const auto held = suspicions_.find(seat);
    if (held != suspicions_.end()) {
        map.set(suspect_key(seat), encode_bytes(held->second));
    } else {
        map.erase(suspect_key(seat));
    }
}

// [STAND-REST.1]
void Standing::end_epoch(Epoch epoch, QuorumMode mode, const Seating& later, MerkleMap& map) {
    std::set<Seat> stay;
    for (const Member& member : later.members)
        stay.insert(member.seat);
    attendance_.keep(stay, map);
    for (auto row = rows_.begin(); row != rows_.end();) {
        const bool gone = !stay.contains(row->first);
        const std::size_t others = std::erase_if(row->second.cells, [&](const auto& cell) {
            return !stay.contains(cell.first);
        });
        if (gone) map.erase(votes_key(row->first));
        if (!gone && others > 0) map.set(votes_key(row->first), encode_bytes(row->second));
        row = gone ? rows_.erase(row) : std::next(row);
    }
    const auto left = [&](const auto& entry) { return !stay.contains(entry.first); };
    std::set<std::uint32_t> turns_changed;
    for (const auto& entry : turns_)
        if (left(entry)) turns_changed.insert(leaf_of(entry.first));
    turns_.erase_if(left);
    write_turns(turns_changed, map);
    for (auto row = often_.begin(); row != often_.end();) {
        const bool gone = left(*row);
        const std::size_t others =
            std::erase_if(row->second.missed, [&](Seat seat) { return !stay.contains(seat); });
        if (gone) map.erase(often_key(row->first));
        if (!gone && others > 0) map.set(often_key(row->first), encode_bytes(row->second));
        row = gone ? often_.erase(row) : std::next(row);
    }
    for (auto at = suspicions_.begin(); at != suspicions_.end();) {
        const bool gone = left(*at);
        if (gone) map.erase(suspect_key(at->first));
        at = gone ? suspicions_.erase(at) : std::next(at);
    }

    while (!resting_.empty() && resting_.begin()->first <= epoch) {
        map.erase(rest_key(resting_.begin()->first));
        resting_.erase(resting_.begin());
    }
    const Epoch when = epoch.plus(2);
    std::vector<std::tuple<std::uint32_t, Seat>> worst;
    for (const auto& [seat, held] : suspicions_) {
        const bool rests = held.votes || (held.turns && held.rests_through >= when);
        if (rests) worst.emplace_back(1'000'000 - std::max(held.votes_ppm, held.turns_ppm), seat);
    }
    std::sort(worst.begin(), worst.end());
    const Quorum quorum =
        Quorum::of(mode, static_cast<std::uint32_t>(later.members.size()), later.dormant);
    if (worst.size() > quorum.n - quorum.q) worst.resize(quorum.n - quorum.q);
    if (worst.empty()) return;
    std::vector<Seat>& rest = resting_[when];
    for (const auto& [share, seat] : worst)
        rest.push_back(seat);
    std::sort(rest.begin(), rest.end());
    Writer w;
    encode_list(w, rest);
    map.set(rest_key(when), w.take());
}

const std::vector<Seat>& Standing::resting(Epoch epoch) const {
    static const std::vector<Seat> nobody;
    const auto found = resting_.find(epoch);
    return found == resting_.end() ? nobody : found->second;
}

const Standing::Suspicion* Standing::suspicion(Seat seat) const {
    const auto found = suspicions_.find(seat);
    return found == suspicions_.end() || !found->second.holds() ? nullptr : &found->second;
}

Result<void> Standing::restore(const MerkleMap& map) {
    *this = {};
    bool good = true;
    const auto number = [&](const std::string& key, std::string_view prefix) {
        std::uint64_t value = 0;
        const auto digits = std::string_view{key}.substr(prefix.size());
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        good = good && error == std::errc{} && end == digits.data() + digits.size();
        return value;
    };
    map.visit([&](const std::string& key, const Bytes& value) {
        constexpr std::string_view votes = "standing/votes/";
        constexpr std::string_view often = "standing/often/";
        constexpr std::string_view suspect = "standing/suspect/";
        constexpr std::string_view rest = "standing/rest/";
        if (!key.starts_with("standing/") || !good) return;
        if (key.starts_with(turns_prefix)) {
            constexpr std::string_view other = "standing/turns/";
            const auto leaf =
                key.starts_with(other) ? static_cast<std::uint32_t>(number(key, other)) : 0U;
            Reader r{value};
            Cells cells;
            decode_cells(r, cells);
            good = good && r.finish() == DecodeError::none && key == turns_key(leaf) &&
                   (leaf == 0 || !cells.empty());
            for (const auto& [seat, cell] : cells)
                good = good && leaf_of(seat) == leaf;
            for (const auto& [seat, cell] : cells)
                turns_[seat] = cell;
        } else if (key.starts_with(votes)) {
            const Seat seat{static_cast<std::uint32_t>(number(key, votes))};
            auto row = decode_exact<Row>(value);
            good = good && row && key == votes_key(seat);
            if (good) rows_.emplace(seat, std::move(*row));
        } else if (key.starts_with(often)) {
            const Seat seat{static_cast<std::uint32_t>(number(key, often))};
            auto row = decode_exact<Often>(value);
            good = good && row && key == often_key(seat);
            if (good) often_.emplace(seat, std::move(*row));
        } else if (key.starts_with(Attendance::prefix)) {
            good = attendance_.restore(key, value);
        } else if (key.starts_with(suspect)) {
            const Seat seat{static_cast<std::uint32_t>(number(key, suspect))};
            auto held = decode_exact<Suspicion>(value);
            good = good && held && key == suspect_key(seat);
            if (good) suspicions_.emplace(seat, *held);
        } else if (key.starts_with(rest)) {
            const Epoch epoch{number(key, rest)};
            std::vector<Seat> seats;
            Reader r{value};
            decode_list(r, seats, limits::seats_max, 1);
            good = good && r.finish() == DecodeError::none && key == rest_key(epoch);
            if (good) resting_.emplace(epoch, std::move(seats));
        } else {
            good = false;
        }
    });
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the standing is malformed");
    return {};
}

void encode(Writer& w, const Standing::Often& v) {
    encode(w, v.last);
    encode_list(w, v.missed);
}
void decode(Reader& r, Standing::Often& v) {
    decode(r, v.last);
    decode_list(r, v.missed, limits::seats_max, 1);
    const bool ascends = std::adjacent_find(v.missed.begin(), v.missed.end(), [](Seat a, Seat b) {
                             return b <= a;
                         }) == v.missed.end();
    if (!ascends) r.fail(DecodeError::bad_value);
}

void encode(Writer& w, const Standing::Row& v) {
    encode(w, v.last);
    encode_cells(w, v.cells.begin(), v.cells.end());
}
void decode(Reader& r, Standing::Row& v) {
    decode(r, v.last);
    decode_cells(r, v.cells);
}

void encode(Writer& w, const Standing::Suspicion& v) {
    w.u8(v.through_groups ? 2 : v.votes ? 1 : 0);
    w.boolean(v.turns);
    w.uvarint(v.votes_ppm);
    w.uvarint(v.turns_ppm);
    encode(w, v.since);
    w.u8(v.strikes);
    encode(w, v.rests_through);
}
void decode(Reader& r, Standing::Suspicion& v) {
    const std::uint8_t votes = r.kind(2);
    v.votes = votes != 0;
    v.through_groups = votes == 2;
    v.turns = r.boolean();
    v.votes_ppm = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.uvarint(), 1'000'000));
    v.turns_ppm = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.uvarint(), 1'000'000));
    decode(r, v.since);
    v.strikes = r.u8();
    decode(r, v.rests_through);
    if (v.strikes > Standing::strikes_max) r.fail(DecodeError::bad_value);
}

}  // namespace creto
