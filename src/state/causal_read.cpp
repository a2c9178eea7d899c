// How the live values of slots are read as counters, registers, sets, lists and maps.
//
// Holds    [CRDT-LAST.1] The last of several is that of greatest (depth, vertex id). [CRDT-LIST.1] A
//          list's order is that of its slots' names, in base and overlay alike.
#include <algorithm>
#include <tuple>

#include "state/causal_walk.hpp"

namespace creto {

namespace {

/// Takes the part of a sequence that was asked for, as far as an answer may hold it.
class Page {
public:
    explicit Page(const ReadRange& range)
        : left_{std::min(range.count, limits::read_items_max)}, before_{range.from} {}

    /// What becomes of the next.
    enum class Take : std::uint8_t { no, yes, full };
    Take next(std::size_t bytes) {
        if (before_ > 0) {
            --before_;
            return Take::no;
        }
        if (left_ == 0 || (bytes_ > 0 && bytes_ + bytes > limits::read_bytes_max))
            return Take::full;
        --left_;
        bytes_ += bytes + 1;
        return Take::yes;
    }

private:
    std::uint32_t left_;
    std::uint64_t before_;
    std::size_t bytes_ = 0;
};

/// What the names of a field's slots, at and below it, are before.
constexpr char after_field = '\x01';

}  // namespace

CausalReading CausalState::read(const Place& place, const ReadRange& range) const {
    CausalReading out;
    for (const Live& share : live(prefix_of(place, CrdtKind::counter))) {
        const std::uint64_t sum = static_cast<std::uint64_t>(out.counter.value_or(0));
        out.counter = static_cast<std::int64_t>(sum + read_share(share.value));
    }
    std::set<std::string_view> distinct;
    const std::vector<Live> concurrent = live(prefix_of(place, CrdtKind::values));
    for (const Live& value : concurrent)
        distinct.insert(as_text(value.value));
    for (const std::string_view value : distinct)
        out.values.push_back(to_bytes(value));

    const std::vector<Live> writes = live(prefix_of(place, CrdtKind::last));
    const auto last = std::max_element(writes.begin(), writes.end(), [](auto& a, auto& b) {
        return std::tie(a.depth, a.dot.vertex, a.dot) < std::tie(b.depth, b.dot.vertex, b.dot);
    });
    if (last != writes.end()) out.last = to_bytes(as_text(last->value));

    for (const CrdtKind kind : {CrdtKind::set, CrdtKind::list}) {
        Page page{range};
        const std::string prefix = prefix_of(place, kind);
        for (Walk walk{*this, prefix}; const std::string* slot = walk.slot(); walk.next()) {
            const std::vector<Live> held = live(*slot);
            if (held.empty()) continue;
            const std::string_view shown = kind == CrdtKind::set
                                               ? std::string_view{*slot}.substr(prefix.size())
                                               : as_text(held.front().value);
            const Page::Take take = page.next(shown.size());
            if (take == Page::Take::yes)
                (kind == CrdtKind::set ? out.elements : out.items).push_back(to_bytes(shown));
            out.found = true;
            out.more = out.more || take == Page::Take::full;
            if (take == Page::Take::full) break;
        }
    }

    Page page{range};
    const std::string prefix = prefix_of(place);
    Walk walk{*this, prefix};
    walk.seek(prefix + after_field);  // Behind the slots of the place itself.
    while (const std::string* slot = walk.slot()) {
        if (live(*slot).empty()) {
            walk.next();
            continue;
        }
        const std::string field =
            slot->substr(prefix.size(), slot->find('\0', prefix.size()) - prefix.size());
        const Page::Take take = page.next(field.size());
        if (take == Page::Take::yes) out.fields.push_back(field);
        out.found = true;
        out.more = out.more || take == Page::Take::full;
        if (take == Page::Take::full) break;
        walk.seek(prefix + field + after_field);
    }
    out.found = out.found || out.counter || out.last || !out.values.empty();
    return out;
}

bool CausalState::holds(const Place& place, CrdtKind kind) const {
    for (Walk walk{*this, prefix_of(place, kind)}; const std::string* slot = walk.slot();
         walk.next()) {
        if (!live(*slot).empty()) return true;
    }
    return false;
}

bool CausalState::has_fields(const Place& place) const {
    const std::string prefix = prefix_of(place);
    Walk walk{*this, prefix};
    for (walk.seek(prefix + after_field); const std::string* slot = walk.slot(); walk.next()) {
        if (!live(*slot).empty()) return true;
    }
    return false;
}

Digest CausalState::summary() {
    if (all_changed_) {
        readings_ = {};
        for (Walk walk{*this, {}}; const std::string* slot = walk.slot(); walk.next())
            changed_.insert(*slot);
        all_changed_ = false;
    }
    for (const std::string& slot : changed_) {
        const std::vector<Live> values = live(slot);
        if (values.empty()) {
            readings_.erase(slot);
            continue;
        }
        Writer w;
        w.uvarint(values.size());
        for (const Live& value : values) {
            encode(w, value.dot);
            w.uvarint(value.depth);
            w.bytes(value.value);
        }
        readings_.set(slot, w.take());
    }
    changed_.clear();
    return readings_.root();
}

}  // namespace creto
