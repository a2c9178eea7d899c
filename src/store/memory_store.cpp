#include "store/memory_store.hpp"

namespace creto {

namespace {

Error damaged(Column column, ByteView key) {
    return {
        ErrorCode::corrupt,
        "memory store: " + std::string{to_string(column)} + "/" + to_hex(key) +
            ": the checksum does not match; fetch it from a peer and write it again"};
}

}  // namespace

Result<std::optional<Bytes>> MemoryStore::get(Column column, ByteView key) const {
    const Entries& entries = columns_[at(column)];
    const auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    if (found->second.damaged) return creto::fail(damaged(column, key));
    return *found->second.value;
}

Result<void> MemoryStore::scan(
    Column column,
    ByteView from,
    ByteView to,
    const std::function<bool(ByteView key, ByteView value)>& visit
) const {
    const Entries& entries = columns_[at(column)];
    const KeyOrder less;
    for (auto it = entries.lower_bound(from); it != entries.end(); ++it) {
        if (!to.empty() && !less(it->first, to)) break;
        if (it->second.damaged) return creto::fail(damaged(column, it->first));
        if (!visit(it->first, *it->second.value)) break;
    }
    return {};
}

Result<void> MemoryStore::admit(const std::vector<KeyWrite>& writes) {
    if (faults_.read_only) return fail(ErrorCode::io, "memory store: the disk is read-only");
    if (faults_.fail_writes > 0) {
        --faults_.fail_writes;
        return fail(ErrorCode::io, "memory store: the write failed");
    }
    std::size_t added = 0;
    for (const KeyWrite& write : writes)
        if (write.value) added += write.key.size() + (*write.value)->size();
    // As on a real disk, room for a batch is needed before the room of what it replaces is free.
    // Deletes alone are therefore always admitted.
    if (added > 0 && (bytes_ > faults_.capacity_bytes || added > faults_.capacity_bytes - bytes_)) {
        return fail(ErrorCode::io, "memory store: the disk is full");
    }
    return {};
}

std::optional<MemoryStore::Entry> MemoryStore::put(
    Column column, const Bytes& key, std::optional<Entry> entry
) {
    Entries& entries = columns_[at(column)];
    std::optional<Entry> before;
    const auto found = entries.find(key);
    if (found != entries.end()) {
        bytes_ -= key.size() + found->second.value->size();
        before = std::move(found->second);
    }
    if (entry) {
        bytes_ += key.size() + entry->value->size();
        if (found != entries.end()) {
            found->second = std::move(*entry);
        } else {
            entries.emplace(key, std::move(*entry));
        }
    } else if (found != entries.end()) {
        entries.erase(found);
    }
    return before;
}

Result<void> MemoryStore::write(const std::vector<KeyWrite>& writes, Durable durable) {
    if (auto admitted = admit(writes); !admitted) return admitted;
    std::vector<Undo> batch;
    for (const KeyWrite& write : writes) {
        std::optional<Entry> entry;
        if (write.value) entry = Entry{*write.value};
        std::optional<Entry> before = put(write.column, write.key, std::move(entry));
        if (durable == Durable::no) batch.push_back({write.column, write.key, std::move(before)});
    }
    if (durable == Durable::yes) {
        undo_.clear();
    } else {
        undo_.push_back(std::move(batch));
    }
    return {};
}

void MemoryStore::crash(std::size_t keep_batches) {
    while (undo_.size() > keep_batches) {
        auto& batch = undo_.back();
        for (auto it = batch.rbegin(); it != batch.rend(); ++it)
            put(it->column, it->key, std::move(it->before));
        undo_.pop_back();
    }
    undo_.clear();
}

void MemoryStore::erase() {
    for (Entries& entries : columns_)
        entries.clear();
    undo_.clear();
    bytes_ = 0;
}

bool MemoryStore::damage(Column column, ByteView key) {
    Entries& entries = columns_[at(column)];
    const auto found = entries.find(key);
    if (found == entries.end()) return false;
    found->second.damaged = true;
    return true;
}

bool MemoryStore::flip(Column column, ByteView key, std::size_t byte) {
    Entries& entries = columns_[at(column)];
    const auto found = entries.find(key);
    if (found == entries.end() || byte >= found->second.value->size()) return false;
    Bytes changed = *found->second.value;
    changed[byte] ^= 0x01U;
    found->second.value = share(std::move(changed));
    return true;
}

}  // namespace creto
