// Disk: one seat's store and vote log as a value, so that a search can copy, cut and compare it.
//
// Why      What a crash leaves is part of the state that is searched.
// Holds    Of writes without Durable::yes a crash keeps all or none; a durable batch makes all
//          earlier ones durable. Each value carries a mark: what it says, without who signed it.
#pragma once

#include <map>

#include "order/keys.hpp"
#include "store/store.hpp"

namespace creto::model_check {

enum class Loss : std::uint8_t { unsynced, nothing, store };  ///< The last: all but the vote log.

class Disk {
public:
    struct Value {
        SharedBytes bytes;
        std::uint64_t mark = 0;
    };
    using Key = std::pair<Column, Bytes>;
    using Data = std::map<Key, Value>;

    /// The whole batch, in the order of store/commit.hpp: what votes rest on, then the votes.
    void apply(const Persist& batch) {
        write(batch.writes, batch.durable);
        append_votes(batch);
    }
    void write(const std::vector<KeyWrite>& writes, Durable durable) {
        put(data_, writes);
        if (durable == Durable::yes) {
            synced_ = data_;
            dirty_ = false;
        } else {
            dirty_ = true;
        }
    }
    void append_votes(const Persist& batch) {
        if (!batch.votes_kept.empty()) {
            appends_.clear();
            appends_.push_back(batch.votes_kept);
        }
        if (!batch.votes.empty()) appends_.push_back(batch.votes);
    }
    void crash(Loss loss) {
        if (loss == Loss::store) return wipe_store();
        if (!dirty_) return;
        (loss == Loss::unsynced ? data_ : synced_) = loss == Loss::unsynced ? synced_ : data_;
        dirty_ = false;
    }

    [[nodiscard]] const Data& data() const { return data_; }
    [[nodiscard]] const Data& synced() const { return dirty_ ? synced_ : data_; }
    [[nodiscard]] bool dirty() const { return dirty_; }
    /// The records of each append.
    [[nodiscard]] const std::vector<std::vector<Bytes>>& appends() const { return appends_; }
    [[nodiscard]] VoteLogContents votes() const {
        VoteLogContents contents;
        contents.intact = votes_intact_;
        for (const auto& records : appends_)
            contents.records.insert(contents.records.end(), records.begin(), records.end());
        return contents;
    }
    [[nodiscard]] bool has_vote(const Bytes& record) const {
        for (const auto& records : appends_) {
            for (const Bytes& known : records) {
                if (known == record) return true;
            }
        }
        return false;
    }
    void replace_store(const Disk& other) {
        data_ = other.synced();
        synced_ = data_;
        dirty_ = false;
    }
    void forget_last_append() {
        if (!appends_.empty()) appends_.pop_back();
    }
    void damage_votes() {
        appends_.clear();
        votes_intact_ = false;
    }
    void wipe_store() {
        data_.clear();
        synced_.clear();
        dirty_ = false;
    }

private:
    static std::uint64_t mark_of(const Key& key, ByteView bytes) {
        if (key.first == Column::certificates) {
            const auto certificate = decode_exact<Certificate>(bytes);
            if (certificate) return blake3(signing_bytes(certificate->content)).prefix();
        } else if (key.second.front() == simplex::final_prefix) {
            const auto stored = decode_exact<simplex::StoredBlock>(bytes);
            if (stored)
                return stored->block.id().value().prefix() ^ (stored->finalization ? 1U : 0U);
        }
        return 0;  // A pending block: its key says it all.
    }
    static void put(Data& data, const std::vector<KeyWrite>& writes) {
        for (const KeyWrite& w : writes) {
            const Key key{w.column, w.key};
            if (w.value) {
                data[key] = Value{*w.value, mark_of(key, **w.value)};
            } else {
                data.erase(key);
            }
        }
    }

    Data data_;
    Data synced_;
    bool dirty_ = false;
    std::vector<std::vector<Bytes>> appends_;
    bool votes_intact_ = true;
};

/// What a restarting core reads.
class DiskView final : public StoreView {
public:
    explicit DiskView(const Disk::Data& data) : data_{data} {}
    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override {
        const auto found = data_.find({column, Bytes(key.begin(), key.end())});
        if (found == data_.end()) return std::optional<Bytes>{};
        return std::optional<Bytes>{*found->second.bytes};
    }
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override {
        const Bytes end(to.begin(), to.end());
        auto at = data_.lower_bound({column, Bytes(from.begin(), from.end())});
        for (; at != data_.end() && at->first.first == column; ++at) {
            if (!end.empty() && at->first.second >= end) break;
            if (!visit(at->first.second, *at->second.bytes)) break;
        }
        return {};
    }

private:
    const Disk::Data& data_;
};

}  // namespace creto::model_check
