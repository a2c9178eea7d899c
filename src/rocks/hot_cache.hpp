// HotCache: the values that were read last, in our own memory.
//
// Why      RocksDB needs 1 to 2 us for a value that it has in its cache; the protocol thread asks
//          for the same few over and over.
// Holds    Never older than the last write that has returned. Bounded in bytes; the least recently
//          read goes first. Safe to use from several threads.
// Cost     One lock, one lookup, no allocation on a hit: about 100 ns.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "model/effect.hpp"

namespace creto {

class HotCache {
public:
    static constexpr std::size_t value_bytes_max = 64 * 1024;  ///< Larger values are not kept.

    /// 0: keeps nothing.
    explicit HotCache(std::size_t bytes_max) : bytes_max_{bytes_max} {}

    /// What a miss hands to fill(): tells whether a write came in between.
    struct Miss {
        std::uint64_t generation = 0;
    };
    [[nodiscard]] std::variant<SharedBytes, Miss> find(Column column, ByteView key);
    /// Keeps what was read from the disk after `miss`, unless the key may have been written since.
    void fill(Column column, ByteView key, const SharedBytes& value, Miss miss);
    /// The writes are in the store.
    void written(const std::vector<KeyWrite>& writes);

    [[nodiscard]] std::size_t bytes() const;

private:
    struct Entry {
        std::string name;  ///< Column and key.
        SharedBytes value;
    };
    struct Name {
        Column column;
        ByteView key;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const;
        std::size_t operator()(const Name& name) const;
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(std::string_view a, std::string_view b) const { return a == b; }
        bool operator()(const Name& a, std::string_view b) const;
        bool operator()(std::string_view a, const Name& b) const { return (*this)(b, a); }
    };
    using List = std::list<Entry>;
    static constexpr std::size_t overhead_bytes = 160;  ///< List and table nodes of an entry.

    [[nodiscard]] static std::size_t cost(const Entry& entry) {
        return entry.name.size() + entry.value->size() + overhead_bytes;
    }
    [[nodiscard]] std::uint64_t& generation(const Name& name) {
        return generations_[Hash{}(name) % generations_.size()];
    }
    void drop(List::iterator entry);
    void shrink();

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    List entries_;  ///< Most recently read first.
    std::unordered_map<std::string_view, List::iterator, Hash, Equal> index_;
    std::size_t bytes_ = 0;
    /// Counts the writes to all keys of one hash class.
    std::array<std::uint64_t, 256> generations_{};
};

}  // namespace creto
