#include "model/genesis.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace creto {

namespace {

/// Beside the mode: what follows at the end, because it is not as usual.
constexpr std::uint8_t has_terms = 2;
constexpr std::uint8_t has_checkpoints = 4;
constexpr std::uint8_t has_epochs = 8;
constexpr std::uint8_t has_operators = 16;
constexpr std::uint8_t has_dead_after = 32;
constexpr std::uint8_t has_guests = 64;
constexpr std::uint8_t has_joined_votes = 128;
constexpr std::uint8_t has_any = has_terms | has_checkpoints | has_epochs | has_operators |
                                 has_dead_after | has_guests | has_joined_votes;

/// A number that is written only when it is not the usual one.
std::uint32_t unusual(Reader& r, bool is_written, std::uint32_t usual, std::uint32_t most) {
    const std::uint64_t value = is_written ? r.uvarint() : usual;
    if ((is_written && value == usual) || value > most) r.fail(DecodeError::over_limit);
    return static_cast<std::uint32_t>(value);
}

}  // namespace

void encode(Writer& w, const Member& v) {
    encode(w, v.seat);
    encode(w, v.key);
    w.text(v.name);
}

void decode(Reader& r, Member& v) {
    decode(r, v.seat);
    decode(r, v.key);
    v.name = r.text(limits::name_bytes_max);
}

void encode(Writer& w, const Genesis& v) {
    w.text(v.network);
    const bool terms = v.term_views != 1;
    const bool checkpoints = v.checkpoint_blocks != limits::checkpoint_blocks;
    const bool epochs = v.epoch_blocks != 0;
    const bool dead_after = v.dead_after_reports != limits::dead_after_reports;
    const bool guests = v.guest_operations != 0 || v.guests_total != limits::guests_total;
    w.u8(static_cast<std::uint8_t>(
        static_cast<std::uint8_t>(v.mode) | (terms ? has_terms : 0) |
        (checkpoints ? has_checkpoints : 0) | (epochs ? has_epochs : 0) |
        (v.operators.empty() ? 0 : has_operators) | (dead_after ? has_dead_after : 0) |
        (guests ? has_guests : 0) | (v.vote_form == VoteForm::joined ? has_joined_votes : 0)
    ));
    w.uvarint(v.members.size());
    for (const Member& member : v.members)
        encode(w, member);
    w.uvarint(v.view_interval_ms);
    if (terms) w.uvarint(v.term_views);
    if (checkpoints) w.uvarint(v.checkpoint_blocks);
    if (epochs) w.uvarint(v.epoch_blocks);
    if (!v.operators.empty()) {
        encode_list(w, v.operators);
        w.uvarint(v.operators_needed);
    }
    if (dead_after) w.uvarint(v.dead_after_reports);
    if (guests) {
        w.uvarint(v.guest_operations);
        w.uvarint(v.guests_total);
    }
}

void decode(Reader& r, Genesis& v) {
    v.network = r.text(limits::name_bytes_max);
    const std::uint8_t mode =
        r.kind(static_cast<std::uint8_t>(static_cast<std::uint8_t>(QuorumMode::crash) | has_any));
    v.mode = static_cast<QuorumMode>(mode & ~has_any);
    v.vote_form = (mode & has_joined_votes) != 0 ? VoteForm::joined : VoteForm::list;
    v.members.resize(r.count(limits::seats_max, 34));
    for (Member& member : v.members)
        decode(r, member);
    const std::uint64_t interval = r.uvarint();
    if (interval > 60'000) r.fail(DecodeError::over_limit);
    v.view_interval_ms = static_cast<std::uint32_t>(interval);
    v.term_views = unusual(r, (mode & has_terms) != 0, 1, limits::term_views_max);
    v.checkpoint_blocks = unusual(
        r, (mode & has_checkpoints) != 0, limits::checkpoint_blocks, limits::checkpoint_blocks_max
    );
    v.epoch_blocks = unusual(r, (mode & has_epochs) != 0, 0, limits::epoch_blocks_max);
    v.operators.clear();
    v.operators_needed = 0;
    if ((mode & has_operators) != 0) {
        decode_list(r, v.operators, limits::operators_max, PublicKey::size);
        if (v.operators.empty()) r.fail(DecodeError::bad_value);
        v.operators_needed = unusual(r, true, 0, limits::operators_max);
    }
    v.dead_after_reports = unusual(
        r, (mode & has_dead_after) != 0, limits::dead_after_reports, limits::dead_after_reports_max
    );
    v.guest_operations = 0;
    v.guests_total = limits::guests_total;
    if ((mode & has_guests) == 0) return;
    const std::uint64_t each = r.uvarint();
    const std::uint64_t total = r.uvarint();
    const bool usual = each == 0 && total == limits::guests_total;
    if (usual || each > limits::guest_operations_max || total > limits::guests_total_max)
        r.fail(DecodeError::over_limit);
    v.guest_operations = static_cast<std::uint32_t>(each);
    v.guests_total = static_cast<std::uint32_t>(total);
}

Parameters parameters_of(const Genesis& genesis) {
    return {
        .term_views = genesis.term_views,
        .dead_after_reports = genesis.dead_after_reports,
        .guest_operations = genesis.guest_operations,
        .guests_total = genesis.guests_total};
}

Result<void> validate(const std::vector<Member>& members, QuorumMode mode, std::uint32_t dormant) {
    const std::size_t least = least_members(mode);
    if (members.size() < least || members.size() > limits::seats_max) {
        return fail(
            ErrorCode::invalid,
            "roster: " + std::to_string(members.size()) + " members; this mode takes " +
                std::to_string(least) + " to " + std::to_string(limits::seats_max)
        );
    }
    const bool holds = dormant <= limits::seats_max - members.size() &&
                       Quorum::possible(mode, static_cast<std::uint32_t>(members.size()), dormant);
    if (!holds) {
        return fail(
            ErrorCode::invalid,
            "roster: " + std::to_string(dormant) + " dormant seats beside " +
                std::to_string(members.size()) + " that vote are too many"
        );
    }
    std::set<PublicKey> keys;
    std::set<std::string> names;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const Member& member = members[i];
        if (i > 0 && !(members[i - 1].seat < member.seat)) {
            return fail(ErrorCode::invalid, "roster: seats must strictly increase");
        }
        if (!keys.insert(member.key).second) {
            return fail(
                ErrorCode::invalid,
                "roster: seat " + std::to_string(member.seat.value()) + " has another seat's key"
            );
        }
        if (member.name.empty() || !names.insert(member.name).second) {
            return fail(
                ErrorCode::invalid,
                "roster: the name \"" + member.name + "\" is empty or taken twice"
            );
        }
    }
    return {};
}

namespace {
/// [SEAT-OPERATORS.1]
Result<void> validate_operators(const Genesis& genesis) {
    const std::vector<PublicKey>& keys = genesis.operators;
    if (keys.size() > limits::operators_max) {
        return fail(
            ErrorCode::invalid,
            "genesis: " + std::to_string(keys.size()) + " operator keys; it takes up to " +
                std::to_string(limits::operators_max)
        );
    }
    if (keys.empty() ? genesis.operators_needed != 0
                     : genesis.operators_needed == 0 || genesis.operators_needed > keys.size()) {
        return fail(
            ErrorCode::invalid,
            "genesis: " + std::to_string(genesis.operators_needed) + " of " +
                std::to_string(keys.size()) + " operator keys are needed, which cannot be"
        );
    }
    if (!keys.empty() && genesis.epoch_blocks == 0) {
        return fail(
            ErrorCode::invalid,
            "genesis: operator keys change the roster, which takes epochs (epoch_blocks)"
        );
    }
    std::set<PublicKey> seen;
    for (const Member& member : genesis.members)
        seen.insert(member.key);
    for (const PublicKey& key : keys) {
        if (key == PublicKey{} || !seen.insert(key).second) {
            return fail(
                ErrorCode::invalid,
                "genesis: an operator key is empty, twice there, or the key of a seat"
            );
        }
    }
    return {};
}
}  // namespace

Result<void> validate(const Genesis& genesis) {
    if (auto within = validate(parameters_of(genesis)); !within)
        return fail(ErrorCode::invalid, "genesis: " + within.error().message);
    if (genesis.checkpoint_blocks < limits::checkpoint_blocks_min ||
        genesis.checkpoint_blocks > limits::checkpoint_blocks_max) {
        return fail(
            ErrorCode::invalid,
            "genesis: a checkpoint every " + std::to_string(genesis.checkpoint_blocks) +
                " blocks; it takes " + std::to_string(limits::checkpoint_blocks_min) + " to " +
                std::to_string(limits::checkpoint_blocks_max)
        );
    }
    const bool usual = genesis.epoch_blocks == 0;
    if (!usual && (genesis.epoch_blocks < limits::epoch_blocks_min ||
                   genesis.epoch_blocks > limits::epoch_blocks_max)) {
        return fail(
            ErrorCode::invalid,
            "genesis: an epoch of " + std::to_string(genesis.epoch_blocks) +
                " blocks; it takes 0, for no end, or " + std::to_string(limits::epoch_blocks_min) +
                " to " + std::to_string(limits::epoch_blocks_max)
        );
    }
    if (usual && genesis.dead_after_reports != limits::dead_after_reports) {
        return fail(
            ErrorCode::invalid,
            "genesis: seats are set aside (dead_after_reports) where an epoch ends, which takes "
            "epochs (epoch_blocks)"
        );
    }
    if (usual && (genesis.guest_operations != 0 || genesis.guests_total != limits::guests_total)) {
        return fail(
            ErrorCode::invalid,
            "genesis: quotas of agents without a seat (guest_operations, guests_total) are for an "
            "epoch, which takes epochs (epoch_blocks)"
        );
    }
    if (auto operators = validate_operators(genesis); !operators) return operators;
    return validate(genesis.members, genesis.mode);
}

Roster::Roster(const Genesis& genesis)
    : chain_{hash(HashDomain::genesis, encode_bytes(genesis))},
      epochs_{genesis.epoch_blocks},
      mode_{genesis.mode},
      quorum_{Quorum::of(genesis.mode, static_cast<std::uint32_t>(genesis.members.size()))},
      first_{parameters_of(genesis)},
      parameters_{first_},
      checkpoint_blocks_{genesis.checkpoint_blocks},
      vote_form_{genesis.vote_form},
      operators_{genesis.operators},
      operators_needed_{genesis.operators_needed},
      members_{genesis.members},
      known_{genesis.members} {
    CRETO_ASSERT(validate(genesis).has_value());
    index({}, {});
}

Roster::Roster(const Roster& before, Epoch epoch, Seating seating)
    : chain_{before.chain_},
      epoch_{epoch},
      epochs_{before.epochs_},
      mode_{before.mode_},
      quorum_{Quorum::of(
          before.mode_, static_cast<std::uint32_t>(seating.members.size()), seating.dormant
      )},
      dormant_{seating.dormant},
      first_{before.first_},
      parameters_{seating.parameters.value_or(before.first_)},
      checkpoint_blocks_{before.checkpoint_blocks_},
      vote_form_{before.vote_form_},
      operators_{before.operators_},
      operators_needed_{before.operators_needed_},
      members_{std::move(seating.members)},
      known_{std::move(seating.known)} {
    CRETO_ASSERT(validate(members_, mode_, dormant_).has_value());
    CRETO_ASSERT(validate(parameters_).has_value());
    index(seating.resting, seating.beacon);
}

std::optional<Parameters> Roster::changed_parameters() const {
    return parameters_ == first_ ? std::nullopt : std::optional{parameters_};
}

Roster Roster::in_epoch(Epoch epoch) const {
    Roster same = *this;
    same.epoch_ = epoch;
    return same;
}

namespace {

/// Ascending by a hash of each seat that nobody chose.
void draw_order(std::vector<Seat>& seats, const Digest& beacon, Epoch epoch) {
    std::vector<std::pair<Digest, Seat>> drawn;
    drawn.reserve(seats.size());
    for (const Seat seat : seats) {
        const Digest lot = Hasher{HashDomain::turns}
                               .update(beacon)
                               .update_u64(epoch.value())
                               .update_u64(seat.value())
                               .finish();
        drawn.emplace_back(lot, seat);
    }
    std::sort(drawn.begin(), drawn.end());
    std::transform(drawn.begin(), drawn.end(), seats.begin(), [](const auto& one) {
        return one.second;
    });
}

}  // namespace

void Roster::index(const std::vector<Seat>& resting, const std::optional<Digest>& beacon) {
    for (const Member& member : members_) {
        const bool rests = std::find(resting.begin(), resting.end(), member.seat) != resting.end();
        if (!rests) leaders_.push_back(member.seat);
    }
    CRETO_ASSERT(leaders_.size() >= quorum_.q);
    if (beacon) draw_order(leaders_, *beacon, epoch_);  // [BEACON-TURNS.1]
    Writer w;
    encode_list(w, members_);
    const auto changed = changed_parameters();
    if (dormant_ > 0 || changed) w.uvarint(dormant_);  // [SEAT-DORMANT.4]
    if (changed) encode(w, *changed);                  // [PARAM-DIGEST.1]
    digest_ = hash(HashDomain::roster, w.view());
    if (vote_form_ == VoteForm::joined) {
        KeyList list{digest_, {}};
        list.keys.reserve(members_.size());
        for (const Member& member : members_)
            list.keys.push_back(member.key);
        keys_ = std::make_shared<const KeyList>(std::move(list));
    }
    by_key_.clear();
    for (std::uint32_t i = 0; i < members_.size(); ++i)
        by_key_.add(key_word(members_[i].key), i + 1);
}

namespace {

std::optional<std::uint32_t> place_of(const std::vector<Member>& members, Seat seat) {
    // Seats are usually numbered without gaps.
    if (seat.value() < members.size() && members[seat.value()].seat == seat) return seat.value();
    const auto found = std::lower_bound(
        members.begin(), members.end(), seat, [](const Member& m, Seat s) { return m.seat < s; }
    );
    if (found == members.end() || found->seat != seat) return std::nullopt;
    return static_cast<std::uint32_t>(found - members.begin());
}

}  // namespace

std::optional<std::uint32_t> Roster::index_of(Seat seat) const {
    return place_of(members_, seat);
}

const Member* Roster::known(Seat seat) const {
    const auto place = place_of(known_, seat);
    return place ? &known_[*place] : nullptr;
}

const Member* Roster::find(Seat seat) const {
    const auto index = index_of(seat);
    return index ? &members_[*index] : nullptr;
}

const Member* Roster::find(const PublicKey& key) const {
    const std::uint32_t place =
        by_key_.find(key_word(key), [&](std::uint32_t at) { return members_[at - 1].key == key; });
    return place == 0 ? nullptr : &members_[place - 1];
}

}  // namespace creto
