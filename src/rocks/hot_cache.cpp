#include "rocks/hot_cache.hpp"

#include <functional>

namespace creto {

std::size_t HotCache::Hash::operator()(std::string_view name) const {
    return (*this)(Name{static_cast<Column>(name.front()), as_bytes(name.substr(1))});
}

std::size_t HotCache::Hash::operator()(const Name& name) const {
    const std::size_t hash = std::hash<std::string_view>{}(as_text(name.key));
    return hash + static_cast<std::size_t>(name.column) * 0x9E3779B97F4A7C15ULL;
}

bool HotCache::Equal::operator()(const Name& a, std::string_view b) const {
    return static_cast<char>(a.column) == b.front() && as_text(a.key) == b.substr(1);
}

std::variant<SharedBytes, HotCache::Miss> HotCache::find(Column column, ByteView key) {
    const Name name{column, key};
    const std::lock_guard lock{mutex_};
    const auto found = index_.find(name);
    if (found == index_.end()) return Miss{generation(name)};
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
}

void HotCache::fill(Column column, ByteView key, const SharedBytes& value, Miss miss) {
    if (value->size() > value_bytes_max) return;
    const Name name{column, key};
    std::string text(1, static_cast<char>(column));
    text += as_text(key);
    const std::lock_guard lock{mutex_};
    if (generation(name) != miss.generation || index_.find(name) != index_.end()) return;
    entries_.push_front({std::move(text), value});
    bytes_ += cost(entries_.front());
    index_.emplace(entries_.front().name, entries_.begin());
    shrink();
}

void HotCache::written(const std::vector<KeyWrite>& writes) {
    const std::lock_guard lock{mutex_};
    for (const KeyWrite& write : writes) {
        const Name name{write.column, write.key};
        ++generation(name);
        const auto found = index_.find(name);
        if (found == index_.end()) continue;
        if (!write.value || (*write.value)->size() > value_bytes_max) {
            drop(found->second);
            continue;
        }
        bytes_ -= cost(*found->second);
        found->second->value = *write.value;
        bytes_ += cost(*found->second);
    }
    shrink();
}

std::size_t HotCache::bytes() const {
    const std::lock_guard lock{mutex_};
    return bytes_;
}

void HotCache::drop(List::iterator entry) {
    bytes_ -= cost(*entry);
    index_.erase(index_.find(std::string_view{entry->name}));
    entries_.erase(entry);
}

void HotCache::shrink() {
    while (bytes_ > bytes_max_)
        drop(std::prev(entries_.end()));
}

}  // namespace creto
