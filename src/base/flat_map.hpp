// FlatMap: values by key in one sorted row.
//
// Why      A few hundred small entries that are walked with every block and seldom added to: a tree would be
//          as many jumps in memory.
// Holds    Ordered by key. References and iterators end with the next add or erase.
// Cost     O(log n) to find, O(n) to add in the middle or to erase; walks are sequential.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

namespace creto {

template <class Key, class Value>
class FlatMap {
public:
    using Entry = std::pair<Key, Value>;
    using const_iterator = typename std::vector<Entry>::const_iterator;

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] const_iterator begin() const { return entries_.begin(); }
    [[nodiscard]] const_iterator end() const { return entries_.end(); }

    /// The first that is not below the key.
    [[nodiscard]] const_iterator lower_bound(const Key& key) const {
        return std::lower_bound(entries_.begin(), entries_.end(), key, is_below);
    }
    /// Null when it is not there.
    [[nodiscard]] const Value* find(const Key& key) const {
        const auto at = lower_bound(key);
        return at != end() && at->first == key ? &at->second : nullptr;
    }
    /// Adds one when it is not there.
    [[nodiscard]] Value& operator[](const Key& key) {
        auto at = std::lower_bound(entries_.begin(), entries_.end(), key, is_below);
        if (at == entries_.end() || at->first != key) at = entries_.insert(at, Entry{key, Value{}});
        return at->second;
    }
    void erase(const Key& key) {
        const auto at = lower_bound(key);
        if (at != end() && at->first == key) entries_.erase(at);
    }
    template <class Is>
    std::size_t erase_if(const Is& is) {
        return std::erase_if(entries_, is);
    }

private:
    static bool is_below(const Entry& entry, const Key& key) { return entry.first < key; }

    std::vector<Entry> entries_;
};

}  // namespace creto
