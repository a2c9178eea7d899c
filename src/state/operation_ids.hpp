// OperationIds: which operations are final, so that each is executed at most once.
//
// Why      The same operation may travel in several lanes (a client that retries elsewhere).
// Holds    An id is kept at least until its expiry height; a later copy is void by its expiry. The
//          ids of one block are one leaf of the state, dropped as a whole when the last of them
//          has expired: a leaf for each id would cost a walk of the tree for each operation.
// Units    An id is known here by its first 127 bits; the last bit of the tag says "applied".
// Cost     Open addressing in 64 parts, about 30 bytes an id, 50 ns an operation.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.hpp"
#include "state/merkle_map.hpp"

namespace creto {

/// Where an operation became final, and whether it had an effect.
struct OperationState {
    Height height;
    bool applied = false;
    friend bool operator==(const OperationState&, const OperationState&) = default;
};

class OperationIds {
public:
    [[nodiscard]] std::optional<OperationState> find(const OperationId& id) const;
    /// Requires: find(id) is none; `height` is that of the block that is being executed.
    void add(const OperationId& id, Height height, Height expiry, bool applied);
    /// Ends the block: writes its leaf and forgets the blocks whose ids have all expired.
    void seal(Height height, MerkleMap& map);
    [[nodiscard]] std::size_t size() const { return size_; }

    /// The ids of every block, for a snapshot; restore() checks them against the leaves.
    void save(Writer& w) const;
    [[nodiscard]] Result<void> restore(Reader& r, const MerkleMap& map);

    [[nodiscard]] static std::string leaf_key(Height height);

private:
    struct Tag {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
    };
    struct Slot {
        Tag tag;
        std::uint64_t height = 0;  ///< 0: the slot is empty.
    };
    struct Part {
        std::vector<Slot> slots;  ///< A power of two of them, or none.
        std::size_t used = 0;
    };
    struct BlockIds {
        Height expiry;  ///< The greatest.
        std::vector<Tag> tags;
    };
    static constexpr std::size_t parts = 64;

    [[nodiscard]] static Tag tag_of(const OperationId& id);
    [[nodiscard]] static bool same(const Tag& x, const Tag& y);
    [[nodiscard]] static std::size_t part_of(const Tag& tag) { return tag.a >> 58U; }
    [[nodiscard]] static Bytes leaf_of(const BlockIds& block);
    static void put(Part& part, const Slot& slot);
    static void erase(Part& part, const Tag& tag);
    void insert(const Tag& tag, Height height);
    void forget(const BlockIds& block);

    std::array<Part, parts> parts_;
    std::map<Height, BlockIds> blocks_;
    std::multimap<Height, Height> by_expiry_;  ///< Greatest expiry to block.
    std::size_t size_ = 0;
};

}  // namespace creto
