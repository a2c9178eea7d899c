// KeyCells, KeyTable, KeyMap: values by key, found with two looks into memory however many there are.
//
// Why      A node keeps something of every peer in many places. A search tree of a thousand of them is ten
//          jumps, each to memory that was not used lately; where a thousand nodes share a machine that
//          is what a message costs most.
// Holds    KeyTable: entries stand close together; walks see them in an order that follows from what was
//          done, the same on every machine. References end with the next add or erase.
//          KeyMap: a std::map beside which a table finds; walks are in the order of the keys, and references
//          and iterators are those of the map. Below `small` it is the map alone.
// Cost     O(1) to find on average, by linear probing in a table at most half full; adding to a KeyMap is
//          what it is in the map. 16 to 64 bytes an entry beside its own. Whoever can choose keys that
//          fall together makes finding them linear in their number: keys are of peers, whose number is
//          bounded.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/prng.hpp"

namespace creto {

/// A word of a key that differs where keys differ, as a rule.
template <class Key>
requires requires(const Key& key) {
    key.prefix();
}
[[nodiscard]] std::uint64_t key_word(const Key& key) {
    return mix64(key.prefix());
}
[[nodiscard]] inline std::uint64_t key_word(int key) {
    return mix64(static_cast<std::uint64_t>(key));
}

/// Where the entry of a key is, which the owner holds: `Place{}` is nowhere.
template <class Place>
class KeyCells {
public:
    /// `is` tells whether the entry at a place is the one.
    template <class Is>
    [[nodiscard]] Place find(std::uint64_t word, const Is& is) const {
        const std::size_t cell = cell_of(word, is);
        return cell == nowhere ? Place{} : cells_[cell].place;
    }
    /// Requires: place is not Place{}; no such key is in it.
    void add(std::uint64_t word, Place place) {
        if (2 * (count_ + 1) > cells_.size()) widen();
        put({tag_of(word), place});
        ++count_;
    }
    /// Requires: find() gives a place.
    template <class Is>
    void move(std::uint64_t word, const Is& is, Place to) {
        cells_[cell_of(word, is)].place = to;
    }
    /// Requires: find() gives a place.
    template <class Is>
    void erase(std::uint64_t word, const Is& is) {
        std::size_t hole = cell_of(word, is);
        // Those behind it that would no more be found move up.
        for (std::size_t at = next(hole); cells_[at].place != Place{}; at = next(at)) {
            const std::size_t home = cells_[at].tag & mask();
            if (((at - home) & mask()) < ((at - hole) & mask())) continue;
            cells_[hole] = cells_[at];
            hole = at;
        }
        cells_[hole] = Cell{};
        --count_;
    }
    void clear() {
        cells_.clear();
        count_ = 0;
    }
    [[nodiscard]] std::size_t size() const { return count_; }

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    static constexpr std::size_t least = 16;

    struct Cell {
        std::uint32_t tag = 0;
        Place place{};
    };

    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t word) {
        return static_cast<std::uint32_t>(word);
    }
    [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
    [[nodiscard]] std::size_t next(std::size_t cell) const { return (cell + 1) & mask(); }

    template <class Is>
    [[nodiscard]] std::size_t cell_of(std::uint64_t word, const Is& is) const {
        if (cells_.empty()) return nowhere;
        const std::uint32_t tag = tag_of(word);
        for (std::size_t cell = tag & mask(); cells_[cell].place != Place{}; cell = next(cell))
            if (cells_[cell].tag == tag && is(cells_[cell].place)) return cell;
        return nowhere;
    }
    void put(const Cell& one) {
        std::size_t cell = one.tag & mask();
        while (cells_[cell].place != Place{})
            cell = next(cell);
        cells_[cell] = one;
    }
    void widen() {
        std::vector<Cell> before = std::move(cells_);
        cells_.assign(before.empty() ? least : 2 * before.size(), Cell{});
        for (const Cell& one : before)
            if (one.place != Place{}) put(one);
    }

    std::vector<Cell> cells_;  ///< A power of two of them, or none.
    std::size_t count_ = 0;
};

template <class Key, class Value>
class KeyTable {
public:
    struct Entry {
        Key key;
        Value value;
    };

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }

    [[nodiscard]] Value* find(const Key& key) {
        const std::uint32_t place = place_of(key);
        return place == 0 ? nullptr : &entries_[place - 1].value;
    }
    [[nodiscard]] const Value* find(const Key& key) const {
        const std::uint32_t place = place_of(key);
        return place == 0 ? nullptr : &entries_[place - 1].value;
    }
    /// The value of this key; when there is none, what `otherwise` gives is from now on.
    template <class Otherwise>
    [[nodiscard]] Value& find_or_add(const Key& key, const Otherwise& otherwise) {
        if (Value* const found = find(key)) return *found;
        entries_.push_back({key, otherwise()});
        cells_.add(key_word(key), static_cast<std::uint32_t>(entries_.size()));
        return entries_.back().value;
    }
    /// False: there was none.
    bool erase(const Key& key) {
        const std::uint32_t place = place_of(key);
        if (place == 0) return false;
        cells_.erase(key_word(key), is(key));
        if (place != entries_.size()) {
            const Key moved = entries_.back().key;
            cells_.move(key_word(moved), is(moved), place);
            entries_[place - 1] = std::move(entries_.back());
        }
        entries_.pop_back();
        return true;
    }
    void clear() {
        cells_.clear();
        entries_.clear();
    }

    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }

private:
    [[nodiscard]] auto is(const Key& key) const {
        return [this, &key](std::uint32_t place) { return entries_[place - 1].key == key; };
    }
    [[nodiscard]] std::uint32_t place_of(const Key& key) const {
        return cells_.find(key_word(key), is(key));
    }

    KeyCells<std::uint32_t> cells_;  ///< Places in entries_, from 1.
    std::vector<Entry> entries_;
};

/// As a std::map, but for finding.
template <class Key, class Value>
class KeyMap {
public:
    using Tree = std::map<Key, Value>;
    using iterator = typename Tree::iterator;
    using const_iterator = typename Tree::const_iterator;
    using value_type = typename Tree::value_type;

    KeyMap() = default;
    KeyMap(const KeyMap& other) : tree_{other.tree_} { index_all(); }
    KeyMap(KeyMap&& other) noexcept = default;
    KeyMap& operator=(KeyMap other) noexcept {
        tree_.swap(other.tree_);  // Iterators go with it.
        std::swap(cells_, other.cells_);
        return *this;
    }
    ~KeyMap() = default;

    [[nodiscard]] bool empty() const { return tree_.empty(); }
    [[nodiscard]] std::size_t size() const { return tree_.size(); }
    [[nodiscard]] iterator begin() { return tree_.begin(); }
    [[nodiscard]] iterator end() { return tree_.end(); }
    [[nodiscard]] const_iterator begin() const { return tree_.begin(); }
    [[nodiscard]] const_iterator end() const { return tree_.end(); }

    [[nodiscard]] iterator find(const Key& key) {
        if (cells_.size() == 0) return tree_.find(key);
        const iterator found = cells_.find(key_word(key), is(key));
        return found == iterator{} ? tree_.end() : found;
    }
    [[nodiscard]] const_iterator find(const Key& key) const {
        if (cells_.size() == 0) return tree_.find(key);
        const iterator found = cells_.find(key_word(key), is(key));
        return found == iterator{} ? tree_.end() : const_iterator{found};
    }
    [[nodiscard]] bool contains(const Key& key) const { return find(key) != end(); }
    [[nodiscard]] std::size_t count(const Key& key) const { return contains(key) ? 1 : 0; }
    /// Requires: contains(key).
    [[nodiscard]] Value& at(const Key& key) { return find(key)->second; }
    [[nodiscard]] const Value& at(const Key& key) const { return find(key)->second; }
    [[nodiscard]] iterator lower_bound(const Key& key) { return tree_.lower_bound(key); }
    [[nodiscard]] const_iterator lower_bound(const Key& key) const {
        return tree_.lower_bound(key);
    }
    [[nodiscard]] const_iterator upper_bound(const Key& key) const {
        return tree_.upper_bound(key);
    }

    template <class... Arguments>
    std::pair<iterator, bool> try_emplace(const Key& key, Arguments&&... arguments) {
        if (const iterator found = find(key); found != tree_.end()) return {found, false};
        const auto added = tree_.try_emplace(key, std::forward<Arguments>(arguments)...);
        if (cells_.size() > 0) {
            cells_.add(key_word(key), added.first);
        } else if (tree_.size() > small) {
            index_all();
        }
        return added;
    }
    template <class Other>
    std::pair<iterator, bool> emplace(const Key& key, Other&& value) {
        return try_emplace(key, std::forward<Other>(value));
    }
    template <class Other>
    std::pair<iterator, bool> insert_or_assign(const Key& key, Other&& value) {
        const iterator found = find(key);
        if (found == tree_.end()) return try_emplace(key, std::forward<Other>(value));
        found->second = std::forward<Other>(value);
        return {found, false};
    }
    Value& operator[](const Key& key) { return try_emplace(key).first->second; }

    iterator erase(const_iterator at) {
        if (cells_.size() > 0) cells_.erase(key_word(at->first), is(at->first));
        return tree_.erase(at);
    }
    iterator erase(iterator at) { return erase(const_iterator{at}); }
    std::size_t erase(const Key& key) {
        const iterator found = find(key);
        if (found == tree_.end()) return 0;
        erase(found);
        return 1;
    }
    void clear() {
        tree_.clear();
        cells_.clear();
    }

    template <class Is>
    friend std::size_t erase_if(KeyMap& map, const Is& is_it) {
        std::size_t count = 0;
        for (iterator at = map.begin(); at != map.end();) {
            if (is_it(std::as_const(*at))) {
                at = map.erase(at);
                ++count;
            } else {
                ++at;
            }
        }
        return count;
    }
    friend bool operator==(const KeyMap& a, const KeyMap& b) { return a.tree_ == b.tree_; }

private:
    /// A tree of so few is a look or two.
    static constexpr std::size_t small = 16;

    [[nodiscard]] static auto is(const Key& key) {
        return [&key](iterator at) { return at->first == key; };
    }
    void index_all() {
        cells_.clear();
        if (tree_.size() <= small) return;
        for (iterator at = tree_.begin(); at != tree_.end(); ++at)
            cells_.add(key_word(at->first), at);
    }

    Tree tree_;
    KeyCells<iterator> cells_;  ///< Empty, or all of them.
};

}  // namespace creto
