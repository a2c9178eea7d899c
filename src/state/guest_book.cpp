#include "state/guest_book.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "model/limits.hpp"

namespace creto {

namespace {

constexpr std::string_view guests_prefix = "guests/";

std::string guests_key(Height height) {
    return std::string{guests_prefix} + std::to_string(height.value());
}

template <class Key>
void encode_counts(Writer& w, const std::map<Key, std::uint32_t>& counts) {
    w.uvarint(counts.size());
    for (const auto& [key, count] : counts) {
        encode(w, key);
        w.uvarint(count);
    }
}

/// Strictly ascending, and nobody with nothing.
template <class Key>
void decode_counts(Reader& r, std::map<Key, std::uint32_t>& counts, std::size_t key_bytes) {
    counts.clear();
    const std::size_t size = r.count(limits::guests_total_max, key_bytes + 1);
    for (std::size_t i = 0; i < size && r.ok(); ++i) {
        Key key{};
        decode(r, key);
        const std::uint64_t count = r.uvarint();
        const bool follows = counts.empty() || counts.rbegin()->first < key;
        if (!follows || count == 0 || count > limits::guests_total_max)
            r.fail(DecodeError::bad_value);
        counts.emplace_hint(counts.end(), key, static_cast<std::uint32_t>(count));
    }
}

/// False: somebody would have more than there is.
template <class Key>
bool add(
    std::map<Key, std::uint32_t>& to, const std::map<Key, std::uint32_t>& from, std::uint32_t most
) {
    for (const auto& [key, count] : from) {
        std::uint32_t& sum = to[key];
        if (count > most - std::min(sum, most)) return false;
        sum += count;
    }
    return true;
}

}  // namespace

void GuestBook::enter(const Roster& voters, std::vector<AgentId> seated) {
    const Parameters& parameters = voters.parameters();
    quota_ = parameters.guest_operations;
    seated_ = std::move(seated);
    std::sort(seated_.begin(), seated_.end());
    const auto seats = static_cast<std::uint32_t>(std::max<std::size_t>(seated_.size(), 1));
    share_ = std::max(1U, parameters.guests_total / seats);
}

GuestBook::Ruling GuestBook::take(const AgentId& client, Seat by) {
    if (quota_ == 0 || std::binary_search(seated_.begin(), seated_.end(), client)) return {};
    std::uint32_t& brought = epoch_.brought[by];
    if (brought >= share_) {  // [PARAM-SHARE.1]
        const std::string share = std::to_string(share_);
        return {
            "seat " + std::to_string(by.value()) +
                " has brought its part of what agents without a seat may do in this epoch: " +
                share + " of " + share +
                "; another seat may bring it, or this one in the next epoch",
            true};
    }
    ++brought;
    ++block_.brought[by];
    std::uint32_t& executed = epoch_.executed[client];
    if (executed >= quota_) {  // [PARAM-QUOTA.1]
        const std::string quota = std::to_string(quota_);
        return {"its quota of this epoch is used up: " + quota + " of " + quota};
    }
    ++executed;
    ++block_.executed[client];
    return {};
}

void GuestBook::seal(Height height, MerkleMap& map) {
    if (block_.brought.empty()) return;
    map.set(guests_key(height), encode_bytes(block_));
    leaves_.push_back(height);
    block_ = {};
}

void GuestBook::end_epoch(MerkleMap& map) {
    for (const Height height : leaves_)
        map.erase(guests_key(height));
    leaves_.clear();
    epoch_ = {};
    block_ = {};
}

Result<void> GuestBook::restore(const MerkleMap& map) {
    epoch_ = {};
    block_ = {};
    leaves_.clear();
    std::map<Height, Counts> blocks;
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with(guests_prefix)) return;
        std::uint64_t number = 0;
        std::from_chars(key.data() + guests_prefix.size(), key.data() + key.size(), number);
        auto counts = decode_exact<Counts>(value);
        good = good && key == guests_key(Height{number}) && counts && quota_ > 0;
        if (good) blocks.emplace(Height{number}, std::move(*counts));
    });
    for (const auto& [height, counts] : blocks) {
        leaves_.push_back(height);
        good = good && add(epoch_.executed, counts.executed, quota_) &&
               add(epoch_.brought, counts.brought, share_);
    }
    if (!good)
        return fail(ErrorCode::corrupt, "state: a leaf of the quotas of agents is malformed");
    return {};
}

void encode(Writer& w, const GuestBook::Counts& v) {
    encode_counts(w, v.executed);
    encode_counts(w, v.brought);
}
void decode(Reader& r, GuestBook::Counts& v) {
    decode_counts(r, v.executed, PublicKey::size);
    decode_counts(r, v.brought, 1);
    if (v.brought.empty()) r.fail(DecodeError::bad_value);
}

}  // namespace creto
