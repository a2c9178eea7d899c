#include "state/beacon.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

namespace creto {

namespace {

constexpr std::string_view entries = "beacon/seat/";
constexpr std::string_view values = "beacon/value/";
constexpr const char* withheld_key = "beacon/withheld";

std::string entry_key(Epoch feeds, Seat seat) {
    return std::string{entries} + std::to_string(feeds.value()) + "/" +
           std::to_string(seat.value());
}
std::string value_key(Epoch epoch) {
    return std::string{values} + std::to_string(epoch.value());
}
tl::unexpected<std::string> refused(std::string why) {
    return tl::unexpected<std::string>(std::move(why));
}
std::string named(Epoch epoch) {
    return "the beacon of epoch " + std::to_string(epoch.value());
}

Bytes withheld_bytes(const Beacon::Withheld& withheld) {
    Writer w;
    w.uvarint(withheld.size());
    for (const auto& [seat, times] : withheld) {
        encode(w, seat);
        w.uvarint(times);
    }
    return w.take();
}
bool read_withheld(ByteView bytes, Beacon::Withheld& out) {
    Reader r{bytes};
    const std::size_t count = r.count(limits::seats_max, 2);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        Seat seat;
        decode(r, seat);
        const std::uint64_t times = r.uvarint();
        const bool follows = out.empty() || out.rbegin()->first < seat;
        if (!follows || times == 0 || times > std::numeric_limits<std::uint32_t>::max())
            r.fail(DecodeError::bad_value);
        out.emplace(seat, static_cast<std::uint32_t>(times));
    }
    return r.finish() == DecodeError::none && count > 0;
}

/// The numbers in a leaf's name; none when it is not of that form.
template <std::size_t N>
std::optional<std::array<std::uint64_t, N>> numbers(std::string_view text) {
    std::array<std::uint64_t, N> out{};
    for (std::size_t i = 0; i < N; ++i) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (i + 1 == N) break;
        if (text.empty() || text.front() != '/') return std::nullopt;
        text.remove_prefix(1);
    }
    return text.empty() ? std::optional{out} : std::nullopt;
}

}  // namespace

Beacon::Beacon(const Roster& genesis) : genesis_{&genesis} {
    for (const Epoch epoch : {Epoch{1}, Epoch{2}}) {
        values_[epoch].value = Hasher{HashDomain::beacon_value}
                                   .update(genesis.chain().value())
                                   .update_u64(epoch.value())
                                   .finish();
    }
}

// [BEACON-COMMIT.1]
tl::expected<void, std::string> Beacon::commit(
    const BeaconCommitOperation& wanted, const Member& seat, const Roster& voters, MerkleMap& map
) {
    if (!voters.epochs().have_end())
        return refused("this network has one epoch without end, and one beacon");
    if (voters.find(seat.key) == nullptr) return refused("only a seat that votes feeds the beacon");
    if (wanted.feeds != voters.epoch().plus(2)) {
        return refused(
            named(wanted.feeds) + " is not committed to in epoch " +
            std::to_string(voters.epoch().value())
        );
    }
    const auto [place, first] =
        entries_.try_emplace({wanted.feeds, seat.seat}, Entry{wanted.commitment, std::nullopt});
    if (!first) return refused("this seat has committed to " + named(wanted.feeds) + " already");
    map.set(entry_key(wanted.feeds, seat.seat), encode_bytes(place->second));
    return {};
}

tl::expected<void, std::string> Beacon::reveal(
    const BeaconRevealOperation& shown, const Member& seat, const Roster& voters, MerkleMap& map
) {
    if (shown.feeds != voters.epoch().next()) {
        return refused(
            named(shown.feeds) + " takes no secrets in epoch " +
            std::to_string(voters.epoch().value())
        );
    }
    const auto found = entries_.find({shown.feeds, seat.seat});
    if (found == entries_.end())
        return refused("this seat has not committed to " + named(shown.feeds));
    Entry& entry = found->second;
    if (entry.secret) return refused("this seat has revealed its secret already");
    const Digest fits = beacon_commitment(voters.chain(), shown.feeds, seat.key, shown.secret);
    if (fits != entry.commitment) return refused("it is not the secret that was committed to");
    entry.secret = shown.secret;
    map.set(entry_key(shown.feeds, seat.seat), encode_bytes(entry));
    return {};
}

// [BEACON-CHAIN.1]
void Beacon::end_epoch(Epoch epoch, const std::vector<Member>& later, MerkleMap& map) {
    const Epoch next = epoch.next();
    const bool withheld_before = !withheld_.empty();
    if (!values_.contains(next)) {
        Value made;
        Hasher hasher{HashDomain::beacon_value};
        hasher.update(of(epoch).value).update_u64(next.value());
        const auto first = entries_.lower_bound({next, Seat{}});
        auto at = first;
        for (; at != entries_.end() && at->first.first == next; ++at) {
            const Seat seat = at->first.second;
            map.erase(entry_key(next, seat));
            if (!at->second.secret) {
                made.withheld.push_back(seat);
                std::uint32_t& times = withheld_[seat];  // [BEACON-BIAS.1]
                if (times < std::numeric_limits<std::uint32_t>::max()) ++times;
                continue;
            }
            made.fed_by.push_back(seat);
            hasher.update_u64(seat.value()).update(*at->second.secret);
        }
        entries_.erase(first, at);
        made.value = hasher.finish();
        map.set(value_key(next), encode_bytes(made));
        values_.emplace(next, std::move(made));
    }
    while (values_.size() > kept) {
        map.erase(value_key(values_.begin()->first));
        values_.erase(values_.begin());
    }
    std::set<Seat> stay;
    for (const Member& member : later)
        stay.insert(member.seat);
    std::erase_if(withheld_, [&](const auto& one) { return !stay.contains(one.first); });
    if (!withheld_.empty()) {
        map.set(withheld_key, withheld_bytes(withheld_));
    } else if (withheld_before) {
        map.erase(withheld_key);
    }
}

const Beacon::Value& Beacon::of(Epoch epoch) const {
    const auto found = values_.find(epoch);
    CRETO_ASSERT(found != values_.end());
    return found->second;
}

std::optional<Digest> Beacon::for_turns(Epoch epoch) const {
    if (epoch <= Epoch{2}) return std::nullopt;
    const auto found = values_.find(Epoch{epoch.value() - 1});
    return found == values_.end() ? std::nullopt : std::optional{found->second.value};
}

const Beacon::Entry* Beacon::said(Epoch feeds, Seat seat) const {
    const auto found = entries_.find({feeds, seat});
    return found == entries_.end() ? nullptr : &found->second;
}

std::uint32_t Beacon::withheld(Seat seat) const {
    const auto found = withheld_.find(seat);
    return found == withheld_.end() ? 0 : found->second;
}

Result<void> Beacon::restore(const MerkleMap& map, Epoch next_block) {
    *this = Beacon{*genesis_};
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with("beacon/") || !good) return;
        const std::string_view name{key};
        if (key == withheld_key) {
            good = read_withheld(value, withheld_);
        } else if (name.starts_with(entries)) {
            const auto place = numbers<2>(name.substr(entries.size()));
            auto entry = decode_exact<Entry>(value);
            good = place && entry && (*place)[1] <= std::numeric_limits<std::uint32_t>::max();
            if (!good) return;
            const Epoch feeds{(*place)[0]};
            const Seat seat{static_cast<std::uint32_t>((*place)[1])};
            good = key == entry_key(feeds, seat) && next_block < feeds &&
                   feeds <= next_block.plus(2) && entries_.size() < 2 * limits::seats_max;
            entries_.emplace(std::pair{feeds, seat}, *entry);
        } else {
            const bool is_value = name.starts_with(values);
            const auto place = is_value ? numbers<1>(name.substr(values.size())) : std::nullopt;
            auto held = decode_exact<Value>(value);
            good = place && held && Epoch{2} < Epoch{(*place)[0]} &&
                   key == value_key(Epoch{(*place)[0]});
            if (good) values_.emplace(Epoch{(*place)[0]}, std::move(*held));
        }
    });
    // As a state that ran on has them.
    while (values_.size() > kept)
        values_.erase(values_.begin());
    const Epoch newest = std::max(next_block, Epoch{2});
    const std::uint64_t count = std::min(newest.value(), kept);
    good = good && values_.size() == count && values_.rbegin()->first == newest &&
           values_.begin()->first.value() == newest.value() + 1 - count;
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the beacon is malformed");
    return {};
}

void encode(Writer& w, const Beacon::Entry& v) {
    encode(w, v.commitment);
    w.boolean(v.secret.has_value());
    if (v.secret) encode(w, *v.secret);
}
void decode(Reader& r, Beacon::Entry& v) {
    decode(r, v.commitment);
    v.secret.reset();
    if (r.boolean()) decode(r, v.secret.emplace());
}

void encode(Writer& w, const Beacon::Value& v) {
    encode(w, v.value);
    encode_list(w, v.fed_by);
    encode_list(w, v.withheld);
}
void decode(Reader& r, Beacon::Value& v) {
    decode(r, v.value);
    for (std::vector<Seat>* seats : {&v.fed_by, &v.withheld}) {
        decode_list(r, *seats, limits::seats_max, 1);
        for (std::size_t i = 1; i < seats->size(); ++i)
            if (!((*seats)[i - 1] < (*seats)[i])) r.fail(DecodeError::bad_value);
    }
}

}  // namespace creto
