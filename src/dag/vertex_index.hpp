// VertexIndex: a flat table from a vertex's id to its place (lane and sequence).
//
// Why      Looking up an id is the most frequent question to the graph; one probe answers it.
// Holds    Open addressing with linear probing, at most half full; a removal shifts the run back,
//          so there are no tombstones. Nothing depends on the order of the table: its layout decides nothing.
//          Keys are the id's first eight bytes, mixed with a salt; equal keys are told apart by
//          the caller, who holds the vertices.
// Cost     One or two cache lines a look-up; 24 bytes an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prng.hpp"
#include "model/ids.hpp"

namespace creto {

class VertexIndex {
public:
    struct Place {
        std::uint32_t lane = 0;  ///< Index of the lane in its graph.
        Sequence sequence;
        friend bool operator==(const Place&, const Place&) = default;
    };

    explicit VertexIndex(std::uint64_t salt) : salt_{salt}, entries_(entries_min) {}

    [[nodiscard]] std::size_t size() const { return size_; }

    /// The first place under this id's key for which `is_it(place)` holds; nullptr if none.
    template <class IsIt>
    [[nodiscard]] const Place* find(const VertexId& id, IsIt is_it) const {
        const std::uint64_t key = key_of(id);
        for (std::size_t i = key & mask(); entries_[i].key != 0; i = (i + 1) & mask()) {
            if (entries_[i].key == key && is_it(entries_[i].place)) return &entries_[i].place;
        }
        return nullptr;
    }
    /// Requires: the id is not in the table.
    void insert(const VertexId& id, Place place);
    /// Requires: the id is in the table at this place.
    void erase(const VertexId& id, Place place);
    /// A lane was put in at this place: all from there on have moved one up. O(entries).
    void move_lanes_up(std::uint32_t from);

private:
    struct Entry {
        std::uint64_t key = 0;  ///< 0: empty.
        Place place;
    };
    static constexpr std::size_t entries_min = 64;

    [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
    [[nodiscard]] std::uint64_t key_of(const VertexId& id) const {
        const std::uint64_t key = mix64(id.value().prefix() ^ salt_);
        return key == 0 ? 1 : key;
    }
    void put(Entry entry);
    void grow();

    std::uint64_t salt_;
    std::vector<Entry> entries_;  ///< A power of two of them.
    std::size_t size_ = 0;
};

}  // namespace creto
