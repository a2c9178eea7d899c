#include "store/journal.hpp"

#include <algorithm>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "store/keys.hpp"

namespace creto::journal {

namespace {

/// Kinds below are those of the vote records.
constexpr std::uint8_t batch_kind = 16;
constexpr std::size_t write_bytes_min = 4;
constexpr std::string_view slot_prefix = "journal/";

Bytes last_key() {
    return to_bytes("journal");
}
Bytes slot_key(std::uint64_t number) {
    return to_bytes(std::string{slot_prefix} + std::to_string(number % slots));
}

bool is_batch(ByteView record) {
    return !record.empty() && record[0] == batch_kind;
}

Result<std::uint64_t> number_at(const StoreView& store, const Bytes& key) {
    const auto value = store.get(Column::meta, key);
    if (!value) return tl::unexpected<Error>(value.error());
    return *value ? keys::parse_number(**value).value_or(0) : 0;
}

}  // namespace

std::size_t size_of(const std::vector<KeyWrite>& writes) {
    std::size_t bytes = 0;
    for (const KeyWrite& write : writes)
        bytes += write_bytes_min + write.key.size() + (write.value ? (*write.value)->size() : 0);
    return bytes;
}

Bytes encode(std::uint64_t number, const std::vector<KeyWrite>& writes) {
    Writer w{size_of(writes) + 32};
    w.u8(batch_kind);
    w.u64(number);
    w.uvarint(writes.size());
    for (const KeyWrite& write : writes) {
        w.u8(static_cast<std::uint8_t>(write.column));
        w.bytes(write.key);
        w.boolean(write.value.has_value());
        if (write.value) w.bytes(**write.value);
    }
    return w.take();
}

Result<std::optional<Batch>> decode(ByteView record) {
    if (!is_batch(record)) return std::nullopt;
    Reader r{record};
    static_cast<void>(r.u8());
    Batch batch{.number = r.u64()};
    const std::size_t count = r.count(batch_bytes_max, write_bytes_min - 1);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        KeyWrite write;
        write.column = static_cast<Column>(r.kind(static_cast<std::uint8_t>(column_count - 1)));
        const ByteView key = r.bytes(batch_bytes_max);
        write.key.assign(key.begin(), key.end());
        if (r.boolean()) {
            const ByteView value = r.bytes(batch_bytes_max);
            write.value = share(Bytes(value.begin(), value.end()));
        }
        batch.writes.push_back(std::move(write));
    }
    if (r.finish() == DecodeError::none) return batch;
    return fail(ErrorCode::corrupt, std::string{"vote log: a batch: "} + to_string(r.error()));
}

Result<std::uint64_t> last_number(const StoreView& store) {
    return number_at(store, last_key());
}

bool is_mark(ByteView key) {
    const std::string_view text = as_text(key);
    return equal(key, last_key()) || text.starts_with(slot_prefix);
}

void mark(std::uint64_t number, std::vector<KeyWrite>& writes) {
    const SharedBytes value = share(keys::number(number));
    writes.push_back({Column::meta, last_key(), value});
    writes.push_back({Column::meta, slot_key(number), value});
}

Result<std::size_t> replay(Store& store, const VoteLogContents& log) {
    const auto last = last_number(store);
    if (!last) return tl::unexpected<Error>(last.error());
    std::vector<Batch> batches;
    for (const Bytes& record : log.records) {
        auto batch = decode(record);
        if (!batch) return tl::unexpected<Error>(batch.error());
        if (*batch) batches.push_back(std::move(**batch));
    }
    std::uint64_t next = *last + 1;
    for (const Batch& batch : batches) {
        if (batch.number > *last || batch.number + slots <= *last) continue;
        const auto held = number_at(store, slot_key(batch.number));
        if (!held) return tl::unexpected<Error>(held.error());
        if (*held != batch.number) next = std::min(next, batch.number);
    }
    std::size_t applied = 0;
    for (Batch& batch : batches) {
        if (batch.number != next) continue;
        mark(next++, batch.writes);
        if (auto written = store.write(batch.writes, Durable::yes); !written)
            return tl::unexpected<Error>(written.error());
        ++applied;
    }
    return applied;
}

void drop_batches(VoteLogContents& log) {
    std::erase_if(log.records, [](const Bytes& record) { return is_batch(record); });
}

}  // namespace creto::journal
