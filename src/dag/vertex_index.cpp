#include "dag/vertex_index.hpp"

#include <utility>

namespace creto {

void VertexIndex::insert(const VertexId& id, Place place) {
    if ((size_ + 1) * 2 > entries_.size()) grow();
    put({key_of(id), place});
    ++size_;
}

void VertexIndex::erase(const VertexId& id, Place place) {
    const std::uint64_t key = key_of(id);
    std::size_t hole = key & mask();
    while (!(entries_[hole].key == key && entries_[hole].place == place)) {
        CRETO_ASSERT(entries_[hole].key != 0);
        hole = (hole + 1) & mask();
    }
    // Close the hole: every later entry of the run whose home is not behind the hole moves into it.
    for (std::size_t i = (hole + 1) & mask(); entries_[i].key != 0; i = (i + 1) & mask()) {
        const std::size_t home = entries_[i].key & mask();
        if (((i - home) & mask()) >= ((i - hole) & mask())) {
            entries_[hole] = entries_[i];
            hole = i;
        }
    }
    entries_[hole] = Entry{};
    --size_;
}

void VertexIndex::move_lanes_up(std::uint32_t from) {
    for (Entry& entry : entries_) {
        if (entry.key != 0 && entry.place.lane >= from) ++entry.place.lane;
    }
}

void VertexIndex::put(Entry entry) {
    std::size_t i = entry.key & mask();
    while (entries_[i].key != 0)
        i = (i + 1) & mask();
    entries_[i] = entry;
}

void VertexIndex::grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old) {
        if (entry.key != 0) put(entry);
    }
}

}  // namespace creto
