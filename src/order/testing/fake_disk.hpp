// FakeDisk: a store and a vote log that forget what was not synced when the power goes.
//
// Why      "Persist, then speak" is worth what the worst disk allows.
// Holds    A durable batch survives; it makes the vote log before it durable, too. Of the
//          batches without Durable::yes a prefix survives, as with a write-ahead log; of the batch
//          that a crash interrupts the writes, or both writes and votes, as the seed says.
#pragma once

#include <map>
#include <set>

#include "base/prng.hpp"
#include "store/store.hpp"

namespace creto::simplex::testing {

class FakeDisk final : public StoreView {
public:
    using Data = std::map<std::pair<Column, Bytes>, Bytes>;
    VoteLogContents votes;

    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override {
        const auto found = now_.find({column, Bytes(key.begin(), key.end())});
        if (found == now_.end()) return std::optional<Bytes>{};
        return std::optional<Bytes>{found->second};
    }
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override {
        const Bytes end(to.begin(), to.end());
        auto at = now_.lower_bound({column, Bytes(from.begin(), from.end())});
        for (; at != now_.end() && at->first.first == column; ++at) {
            if (!end.empty() && at->first.second >= end) break;
            if (!visit(at->first.second, at->second)) break;
        }
        return {};
    }

    void apply(const Persist& batch) {
        write(now_, batch.writes);
        unsynced_.push_back(batch.writes);
        log(batch);
        if (batch.durable == Durable::yes) sync();
    }
    /// The power goes; `interrupted` was on its way, and may have come through in part.
    void crash(Prng& prng, const std::vector<Persist>& interrupted) {
        now_ = synced_;
        for (const auto& writes : unsynced_) {
            if (prng.chance(1, 2)) break;
            write(now_, writes);
        }
        unsynced_.clear();
        for (const Persist& batch : interrupted) {
            if (prng.chance(1, 2)) break;
            write(now_, batch.writes);
            if (batch.votes.empty()) continue;
            if (prng.chance(1, 2)) break;
            log(batch);
        }
        synced_ = now_;
    }
    [[nodiscard]] bool has_vote(const Bytes& record) const { return known_.contains(record); }
    /// Everything is gone but the votes.
    void wipe_store() { load_store({}); }
    /// A new disk in place of the old one; `noticed`: something else knows that there were votes.
    void lose_everything(bool noticed) {
        wipe_store();
        votes = {.records = {}, .intact = !noticed, .damage = noticed ? "lost" : ""};
    }
    /// All that is durable now, as a backup would hold it, and its way back.
    [[nodiscard]] const Data& store_image() const { return synced_; }
    void load_store(const Data& image) {
        now_ = image;
        synced_ = image;
        unsynced_.clear();
    }
    void put(const KeyWrite& value) {
        write(now_, {value});
        write(synced_, {value});
    }
    /// Votes that this disk holds without having written them.
    void put_vote(const Bytes& record) {
        votes.records.push_back(record);
        known_.insert(record);
    }
    [[nodiscard]] std::size_t size() const { return now_.size(); }

private:
    static void write(Data& data, const std::vector<KeyWrite>& writes) {
        for (const KeyWrite& w : writes) {
            if (w.value) {
                data[{w.column, w.key}] = **w.value;
            } else {
                data.erase({w.column, w.key});
            }
        }
    }
    void log(const Persist& batch) {
        if (!batch.votes_kept.empty()) {
            votes.records = batch.votes_kept;
            votes.intact = true;
        }
        votes.records.insert(votes.records.end(), batch.votes.begin(), batch.votes.end());
        known_.insert(batch.votes.begin(), batch.votes.end());
    }
    void sync() {
        for (const auto& writes : unsynced_)
            write(synced_, writes);
        unsynced_.clear();
    }

    Data now_;
    Data synced_;
    std::vector<std::vector<KeyWrite>> unsynced_;
    std::set<Bytes> known_;
};

}  // namespace creto::simplex::testing
