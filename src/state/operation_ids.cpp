#include "state/operation_ids.hpp"

#include "base/assert.hpp"
#include "model/limits.hpp"
#include "state/state_limits.hpp"

namespace creto {

namespace {

std::uint64_t word_at(const Digest& digest, std::size_t offset) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = value << 8U | digest.bytes()[offset + i];
    return value;
}

}  // namespace

std::string OperationIds::leaf_key(Height height) {
    return "executed/" + std::to_string(height.value());
}

OperationIds::Tag OperationIds::tag_of(const OperationId& id) {
    return {word_at(id.value(), 0), word_at(id.value(), 8)};
}

bool OperationIds::same(const Tag& x, const Tag& y) {
    return x.a == y.a && (x.b | 1U) == (y.b | 1U);
}

std::optional<OperationState> OperationIds::find(const OperationId& id) const {
    const Tag tag = tag_of(id);
    const Part& part = parts_[part_of(tag)];
    if (part.slots.empty()) return std::nullopt;
    const std::size_t mask = part.slots.size() - 1;
    for (std::size_t i = tag.a & mask; part.slots[i].height != 0; i = (i + 1) & mask) {
        const Slot& slot = part.slots[i];
        if (same(slot.tag, tag)) return OperationState{Height{slot.height}, (slot.tag.b & 1U) != 0};
    }
    return std::nullopt;
}

void OperationIds::add(const OperationId& id, Height height, Height expiry, bool applied) {
    Tag tag = tag_of(id);
    tag.b = (tag.b & ~std::uint64_t{1}) | (applied ? 1U : 0U);
    insert(tag, height);
    BlockIds& block = blocks_[height];
    block.expiry = std::max(block.expiry, expiry);
    block.tags.push_back(tag);
}

void OperationIds::insert(const Tag& tag, Height height) {
    Part& part = parts_[part_of(tag)];
    // At most three quarters full, so that a search ends soon.
    if ((part.used + 1) * 4 > part.slots.size() * 3) {
        Part wider{std::vector<Slot>(std::max<std::size_t>(8, part.slots.size() * 2)), 0};
        for (const Slot& slot : part.slots) {
            if (slot.height != 0) put(wider, slot);
        }
        part = std::move(wider);
    }
    put(part, {tag, height.value()});
    ++size_;
}

void OperationIds::put(Part& part, const Slot& slot) {
    const std::size_t mask = part.slots.size() - 1;
    std::size_t i = slot.tag.a & mask;
    while (part.slots[i].height != 0)
        i = (i + 1) & mask;
    part.slots[i] = slot;
    ++part.used;
}

void OperationIds::erase(Part& part, const Tag& tag) {
    CRETO_ASSERT(!part.slots.empty());
    const std::size_t mask = part.slots.size() - 1;
    std::size_t hole = tag.a & mask;
    while (!same(part.slots[hole].tag, tag) || part.slots[hole].height == 0) {
        CRETO_ASSERT(part.slots[hole].height != 0);
        hole = (hole + 1) & mask;
    }
    // Close the hole: move up whoever was pushed past it by others.
    for (std::size_t i = (hole + 1) & mask; part.slots[i].height != 0; i = (i + 1) & mask) {
        const std::size_t home = part.slots[i].tag.a & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            part.slots[hole] = part.slots[i];
            hole = i;
        }
    }
    part.slots[hole] = {};
    --part.used;
}

Bytes OperationIds::leaf_of(const BlockIds& block) {
    Writer list{block.tags.size() * 16};
    for (const Tag& tag : block.tags) {
        list.u64(tag.a);
        list.u64(tag.b);
    }
    Writer leaf;
    encode(leaf, block.expiry);
    leaf.uvarint(block.tags.size());
    encode(leaf, hash(HashDomain::executed, list.view()));
    return leaf.take();
}

void OperationIds::seal(Height height, MerkleMap& map) {
    if (const auto found = blocks_.find(height); found != blocks_.end()) {
        map.set(leaf_key(height), leaf_of(found->second));
        by_expiry_.emplace(found->second.expiry, height);
    }
    while (!by_expiry_.empty() && by_expiry_.begin()->first <= height) {
        const Height over = by_expiry_.begin()->second;
        by_expiry_.erase(by_expiry_.begin());
        forget(blocks_.at(over));
        blocks_.erase(over);
        map.erase(leaf_key(over));
    }
}

void OperationIds::forget(const BlockIds& block) {
    for (const Tag& tag : block.tags)
        erase(parts_[part_of(tag)], tag);
    size_ -= block.tags.size();
}

void OperationIds::save(Writer& w) const {
    w.uvarint(blocks_.size());
    for (const auto& [height, block] : blocks_) {
        encode(w, height);
        encode(w, block.expiry);
        w.uvarint(block.tags.size());
        for (const Tag& tag : block.tags) {
            w.u64(tag.a);
            w.u64(tag.b);
        }
    }
}

Result<void> OperationIds::restore(Reader& r, const MerkleMap& map) {
    *this = {};
    const std::size_t blocks = r.count(limits::expiry_blocks_max + 1, 19);
    Height last;
    for (std::size_t i = 0; i < blocks && r.ok(); ++i) {
        Height height;
        BlockIds block;
        decode(r, height);
        decode(r, block.expiry);
        block.tags.resize(r.count(limits::snapshot_ids_max, 16));
        for (Tag& tag : block.tags) {
            tag.a = r.u64();
            tag.b = r.u64();
        }
        if (!r.ok()) break;
        const Bytes* leaf = map.find(leaf_key(height));
        if (height <= last || leaf == nullptr || *leaf != leaf_of(block)) {
            return fail(
                ErrorCode::corrupt,
                "state: the operation ids of block " + std::to_string(height.value()) +
                    " are not those of its leaf"
            );
        }
        last = height;
        for (const Tag& tag : block.tags)
            insert(tag, height);
        by_expiry_.emplace(block.expiry, height);
        blocks_.emplace(height, std::move(block));
    }
    std::size_t leaves = 0;
    map.visit([&](const std::string& key, const Bytes&) { leaves += key.starts_with("executed/"); }
    );
    if (r.ok() && leaves != blocks_.size()) {
        return fail(ErrorCode::corrupt, "state: operation ids of a block are missing");
    }
    return {};
}

}  // namespace creto
