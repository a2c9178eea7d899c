#include "state/seat_book.hpp"

#include <algorithm>
#include <iterator>

#include "model/limits.hpp"

namespace creto {

namespace {

/// Changes that one seat may have asked for without the others' consent.
constexpr std::size_t asked_per_seat = 8;
/// Epochs after which a change that a quorum did not ask for is forgotten.
constexpr std::uint64_t asked_epochs = 64;
/// Below this nobody is set aside: the quorum would not become smaller by it.
constexpr std::uint32_t least_voting(QuorumMode mode) {
    return mode == QuorumMode::byzantine ? 4 : 3;
}
/// Seats that there ever were.
constexpr std::size_t seats_ever_max = 65'536;

std::string seat_key(Seat seat) {
    return "seat/" + std::to_string(seat.value());
}
std::string asked_key(const Digest& digest) {
    return "seats/asked/" + digest.hex();
}
Digest digest_of(const RosterOperation& change) {
    return hash(HashDomain::roster, approval_bytes(change));
}
std::string named(const Member& member) {
    return "seat " + std::to_string(member.seat.value()) + " (" + member.name + ")";
}

}  // namespace

SeatBook::SeatBook(const Roster& genesis) : genesis_{&genesis}, parameters_{genesis.parameters()} {
    for (const Member& member : genesis.members())
        seats_.emplace(member.seat, SeatEntry{.member = member, .last = {}});
}

std::vector<Member> SeatBook::voters(Epoch epoch) const {
    std::vector<Member> members;
    for (const auto& [seat, entry] : seats_) {
        if (entry.votes_in(epoch)) members.push_back(entry.member);
    }
    return members;
}

std::uint32_t SeatBook::dormant(Epoch epoch) const {
    return static_cast<std::uint32_t>(std::count_if(seats_.begin(), seats_.end(), [&](auto& one) {
        return one.second.is_dormant_in(epoch);
    }));
}

Seating SeatBook::seating(Epoch epoch) const {
    return {
        .members = voters(epoch),
        .known = known(),
        .dormant = dormant(epoch),
        .parameters = parameters_.in(epoch)};
}

Quorum SeatBook::quorum(Epoch epoch) const {
    const auto voting = static_cast<std::uint32_t>(voters(epoch).size());
    return Quorum::of(genesis_->mode(), voting, dormant(epoch));
}

bool SeatBook::may_lose_one(Epoch epoch) const {
    const auto left = static_cast<std::uint32_t>(voters(epoch).size() - 1);
    return left >= least_members(genesis_->mode()) &&
           Quorum::possible(genesis_->mode(), left, dormant(epoch));
}

std::vector<Member> SeatBook::known() const {
    std::vector<Member> members;
    for (const auto& [seat, entry] : seats_)
        members.push_back(entry.member);
    return members;
}

std::vector<AgentId> SeatBook::lane_holders(Epoch epoch) const {
    std::vector<AgentId> holders;
    for (const auto& [seat, entry] : seats_) {
        const bool ended = entry.last != Epoch{} && entry.last.plus(lane_grace_epochs) < epoch;
        if (entry.first <= epoch && !ended) holders.push_back(entry.member.key);
    }
    return holders;
}

const SeatEntry* SeatBook::held_by(const AgentId& agent, Epoch epoch) const {
    for (const auto& [seat, entry] : seats_) {
        if (entry.member.key == agent && entry.is_held_in(epoch)) return &entry;
    }
    return nullptr;
}

SeatEntry* SeatBook::holder(const AgentId& agent, Epoch epoch) {
    const SeatEntry* held = held_by(agent, epoch);
    return held == nullptr ? nullptr : &seats_.at(held->member.seat);
}

/// Why this change cannot be, whoever asks.
std::optional<std::string> SeatBook::refusal(const RosterOperation& change, Epoch epoch) const {
    using Action = RosterOperation::Action;
    const Epoch first = epoch.plus(2);
    if (change.action == Action::set) return parameters_.refusal(change.parameter, first);
    const bool ends = change.action != Action::add;
    const auto old = seats_.find(change.seat);
    if (ends && (old == seats_.end() || !old->second.is_held_in(first)))
        return "seat " + std::to_string(change.seat.value()) + " has no vote in epoch " +
               std::to_string(first.value());
    if (change.action != Action::remove) {
        const std::vector<PublicKey>& operators = genesis_->operators();
        if (std::find(operators.begin(), operators.end(), change.key) != operators.end())
            return "its key is an operator's";
        if (seats_.size() >= seats_ever_max) return "no more seats can be given";
        for (const auto& [seat, entry] : seats_) {
            if (entry.member.key == change.key)
                return "its key has seat " + std::to_string(seat.value()) +
                       ", or had it: a key has one seat, once";
            const bool replaced = change.action == Action::replace && seat == change.seat;
            const bool same_name =
                !replaced && entry.member.name == change.name && entry.is_held_in(first);
            if (same_name) return "the name \"" + change.name + "\" is taken";
        }
    }
    const std::size_t voting = voters(first).size();
    if (change.action == Action::add && voting + dormant(first) >= limits::seats_max)
        return "all seats are taken";
    const bool loses_vote = change.action == Action::remove && old->second.votes_in(first);
    if (loses_vote && !may_lose_one(first))
        return "too few seats would be left: " + std::to_string(voting - 1);
    return std::nullopt;
}

tl::expected<SeatBook::Effect, std::string> SeatBook::ask(
    const RosterOperation& change, const AgentId& client, const Roster& voters, MerkleMap& map
) {
    if (!genesis_->epochs().have_end())
        return Refused{"this network has one epoch without end (epoch_blocks in its genesis)"};
    const Epoch epoch = voters.epoch();
    if (auto why = refusal(change, epoch)) return Refused{std::move(*why)};
    const Member* asking = voters.find(client);
    // Its own end, or another key for itself, is nobody else's matter. [SEAT-QUORUM.1]
    const bool ends = change.action == RosterOperation::Action::remove ||
                      change.action == RosterOperation::Action::replace;
    const bool is_own = ends && seats_.at(change.seat).member.key == client;
    const Digest digest = digest_of(change);
    if (is_own) return Effect{true, carry_out(change, epoch, map)};
    const std::uint32_t operators = genesis_->operators_needed();
    if (operators > 0 && change.approvals.size() >= operators)
        return Effect{true, carry_out(change, epoch, map)};  // [SEAT-OPERATORS.1]
    if (asking == nullptr) {
        if (change.approvals.empty()) return Refused{"only seats that vote may ask for it"};
        return Refused{
            std::to_string(change.approvals.size()) + " of " + std::to_string(operators) +
            " operators have signed it"};
    }
    if (!asked_.contains(digest)) {
        const auto pending = std::count_if(asked_.begin(), asked_.end(), [&](const auto& one) {
            return one.second.by.contains(asking->seat);
        });
        if (static_cast<std::size_t>(pending) >= asked_per_seat)
            return Refused{"this seat has asked for too many other changes"};
    }
    Asked& asked = asked_.try_emplace(digest, Asked{change, {}, epoch}).first->second;
    asked.change.approvals.clear();
    if (!asked.by.insert(asking->seat).second) return Refused{"this seat has asked for it already"};
    // Who voted when it asked and does no longer, counts no longer.
    const auto agreed = std::count_if(asked.by.begin(), asked.by.end(), [&](Seat seat) {
        return voters.find(seat) != nullptr;
    });
    if (static_cast<std::uint32_t>(agreed) >= voters.quorum().q) {
        return Effect{true, carry_out(change, epoch, map)};
    }
    map.set(asked_key(digest), encode_bytes(asked));
    return Effect{
        false,
        std::to_string(agreed) + " of " + std::to_string(voters.quorum().q) + " seats ask for it"};
}

std::string SeatBook::carry_out(const RosterOperation& change, Epoch epoch, MerkleMap& map) {
    const Epoch first = epoch.plus(2);  // [SEAT-LATER.1]
    const Digest digest = digest_of(change);
    if (asked_.erase(digest) > 0) map.erase(asked_key(digest));
    if (change.action == RosterOperation::Action::set) return set(change.parameter, first, map);
    std::string ended;
    std::string name = change.name;
    if (change.action != RosterOperation::Action::add) {
        SeatEntry& old = seats_.at(change.seat);
        old.last = epoch.next();
        write(old, map);
        ended = named(old.member);
        if (name.empty()) name = old.member.name;
    }
    if (change.action == RosterOperation::Action::remove) return ended + " ends";
    const Seat seat = give(change.key, name, first, map);
    const std::string given = named(seats_.at(seat).member);
    return ended.empty() ? given + " is given" : given + " takes the place of " + ended;
}

/// Whatever else was asked for as this change of the parameter cannot be any more. [PARAM-ONCE.1]
std::string SeatBook::set(const ParameterChange& change, Epoch first, MerkleMap& map) {
    for (auto at = asked_.begin(); at != asked_.end();) {
        const RosterOperation& other = at->second.change;
        const bool over = other.action == RosterOperation::Action::set &&
                          other.parameter.parameter == change.parameter;
        if (over) map.erase(asked_key(at->first));
        at = over ? asked_.erase(at) : std::next(at);
    }
    settled_ = std::max(settled_, first);
    return parameters_.decide(change, first, map);
}

Seat SeatBook::give(const AgentId& key, const std::string& name, Epoch first, MerkleMap& map) {
    const Seat seat = seats_.rbegin()->first.next();  // [SEAT-ONCE.1]
    const SeatEntry entry{{seat, key, name}, first, Epoch{}};
    seats_.emplace(seat, entry);
    write(entry, map);
    return seat;
}

bool SeatBook::exclude(const AgentId& agent, Epoch epoch, MerkleMap& map) {
    if (!genesis_->epochs().have_end()) return false;
    const Epoch first = epoch.plus(2);
    SeatEntry* entry = holder(agent, first);
    if (entry == nullptr) return false;
    if (entry->votes_in(first) && !may_lose_one(first)) return false;  // [SEAT-ENOUGH.1]
    entry->last = epoch.next();
    write(*entry, map);
    return true;
}

std::vector<Seat> SeatBook::set_aside(const std::vector<Seat>& dead, Epoch epoch, MerkleMap& map) {
    if (!genesis_->epochs().have_end()) return {};
    const Epoch first = epoch.plus(2);  // [SEAT-LATER.1]
    const QuorumMode mode = genesis_->mode();
    std::vector<Seat> may;
    std::copy_if(dead.begin(), dead.end(), std::back_inserter(may), [&](Seat seat) {
        const auto found = seats_.find(seat);
        return found != seats_.end() && found->second.votes_in(epoch) &&
               found->second.votes_in(first);
    });
    const auto voting = static_cast<std::uint32_t>(voters(first).size());
    const std::uint32_t asleep = dormant(first);
    // The fewest that make the quorum smallest. [SEAT-DORMANT.1]
    std::uint32_t smallest = quorum(first).q;
    std::uint32_t count = 0;
    for (std::uint32_t k = 1; k <= may.size() && voting - k >= least_voting(mode); ++k) {
        if (!Quorum::possible(mode, voting - k, asleep + k)) break;
        const std::uint32_t q = Quorum::of(mode, voting - k, asleep + k).q;
        if (q < smallest) count = k;
        smallest = std::min(smallest, q);
    }
    may.resize(count);
    std::sort(may.begin(), may.end());
    for (const Seat seat : may) {
        SeatEntry& entry = seats_.at(seat);
        // Set aside already, back in this epoch, and dead again before its end: it stays away.
        const bool goes_on = entry.dormant_until == first;
        if (!goes_on) entry.dormant_from = first;
        entry.dormant_until = Epoch{};
        write(entry, map);
    }
    return may;
}

tl::expected<Epoch, std::string> SeatBook::come_back(
    const AgentId& agent, Epoch dormant_since, Epoch epoch, MerkleMap& map
) {
    const Epoch first = epoch.plus(2);  // [SEAT-LATER.1]
    SeatEntry* entry = holder(agent, first);
    // A word that was given for an earlier dormancy, and kept, ends no later one.
    if (entry == nullptr || !entry->is_dormant_in(first) || entry->dormant_from != dormant_since)
        return Refused{
            "it has no seat that is dormant since epoch " + std::to_string(dormant_since.value())};
    entry->dormant_until = std::max(first, entry->dormant_from);
    write(*entry, map);
    return entry->dormant_until;
}

std::vector<Seat> SeatBook::end_epoch(Epoch epoch, MerkleMap& map) {
    for (auto at = asked_.begin(); at != asked_.end();) {
        const bool old = at->second.since.plus(asked_epochs) <= epoch;
        if (old) map.erase(asked_key(at->first));
        at = old ? asked_.erase(at) : std::next(at);
    }
    std::vector<Seat> ended;
    for (const auto& [seat, entry] : seats_) {
        const bool ends = entry.last != Epoch{} && entry.last.plus(lane_grace_epochs) == epoch;
        if (ends) ended.push_back(seat);
    }
    return ended;
}

void SeatBook::write(const SeatEntry& entry, MerkleMap& map) {
    map.set(seat_key(entry.member.seat), encode_bytes(entry));
    note(entry);
}

void SeatBook::note(const SeatEntry& entry) {
    const Epoch end = entry.last == Epoch{} ? entry.last : entry.last.next();
    settled_ = std::max({settled_, entry.first, end, entry.dormant_from, entry.dormant_until});
}

Result<void> SeatBook::restore(const MerkleMap& map) {
    *this = SeatBook{*genesis_};
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (key.starts_with("seat/")) {
            auto entry = decode_exact<SeatEntry>(value);
            good = good && entry && key == seat_key(entry->member.seat);
            if (!good) return;
            note(*entry);
            seats_.insert_or_assign(entry->member.seat, std::move(*entry));
        } else if (key.starts_with("seats/asked/")) {
            auto asked = decode_exact<Asked>(value);
            good = good && asked && key == asked_key(digest_of(asked->change));
            if (good) asked_.emplace(digest_of(asked->change), std::move(*asked));
        } else if (key.starts_with(ParameterBook::prefix)) {
            good = good && parameters_.restore(key, value);
        }
    });
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the seats is malformed");
    for (const Parameter parameter : all_parameters) {
        const ParameterBook::History& history = parameters_.of(parameter);
        if (!history.decided.empty()) settled_ = std::max(settled_, history.decided.back().from);
    }
    return {};
}

void encode(Writer& w, const SeatEntry& v) {
    encode(w, v.member);
    encode(w, v.first);
    encode(w, v.last);
    if (v.dormant_from == Epoch{}) return;
    encode(w, v.dormant_from);
    encode(w, v.dormant_until);
}
void decode(Reader& r, SeatEntry& v) {
    decode(r, v.member);
    decode(r, v.first);
    decode(r, v.last);
    if (r.left() == 0) return;  // Nothing follows in its leaf.
    decode(r, v.dormant_from);
    decode(r, v.dormant_until);
    if (v.dormant_from == Epoch{}) r.fail(DecodeError::bad_value);
}

void encode(Writer& w, const SeatBook::Asked& v) {
    encode(w, v.change);
    encode_list(w, std::vector<Seat>(v.by.begin(), v.by.end()));
    encode(w, v.since);
}
void decode(Reader& r, SeatBook::Asked& v) {
    decode(r, v.change);
    std::vector<Seat> by;
    decode_list(r, by, limits::seats_max, 1);
    v.by = {by.begin(), by.end()};
    const bool ascends = std::is_sorted(by.begin(), by.end()) && v.by.size() == by.size();
    if (!ascends) r.fail(DecodeError::bad_value);
    decode(r, v.since);
}

}  // namespace creto
