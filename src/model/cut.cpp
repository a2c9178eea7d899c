#include "model/cut.hpp"

#include <algorithm>

namespace creto {

namespace {

bool is_before(const Cut::Entry& entry, const LaneId& lane) {
    return entry.first < lane;
}

std::uint32_t page_of(const LaneId& lane) {
    return lane.seat.value() / Cut::seats_per_page;
}

}  // namespace

const LaneTip* Cut::Page::find(const LaneId& lane) const {
    const auto at = std::lower_bound(entries.begin(), entries.end(), lane, is_before);
    return at == entries.end() || at->first != lane ? nullptr : &at->second;
}

const Digest& Cut::Page::digest() const {
    if (root) return *root;
    Writer w{entries.size() * 40};
    for (const auto& [lane, tip] : entries) {
        encode(w, lane);
        encode(w, tip);
    }
    root = hash(HashDomain::cut, w.view());
    return *root;
}

Cut::Pages::const_iterator Cut::place(std::uint32_t number) const {
    // Seats are usually numbered from 0 without gaps.
    if (number < pages_.size() && pages_[number]->number == number) return pages_.begin() + number;
    return std::lower_bound(
        pages_.begin(),
        pages_.end(),
        number,
        [](const PagePtr& page, std::uint32_t wanted) { return page->number < wanted; }
    );
}

const Cut::Page* Cut::page(std::uint32_t number) const {
    const auto at = place(number);
    return at == pages_.end() || (*at)->number != number ? nullptr : at->get();
}

Cut::Cut(std::initializer_list<Entry> entries) {
    for (const auto& [lane, tip] : entries)
        set(lane, tip);
}

const LaneTip* Cut::find(const LaneId& lane) const {
    const Page* const found = page(page_of(lane));
    return found == nullptr ? nullptr : found->find(lane);
}

LaneTip Cut::tip(const LaneId& lane) const {
    const LaneTip* const found = find(lane);
    return found == nullptr ? LaneTip{} : *found;
}

void Cut::set(const LaneId& lane, const LaneTip& tip) {
    const std::uint32_t number = page_of(lane);
    auto at_page = pages_.begin() + (place(number) - pages_.cbegin());
    if (at_page == pages_.end() || (*at_page)->number != number) {
        at_page = pages_.insert(at_page, std::make_shared<Page>());
        (*at_page)->number = number;
    } else if (at_page->use_count() > 1) {
        *at_page = std::make_shared<Page>(**at_page);
    }
    Page& page = **at_page;
    page.root.reset();
    const auto at = std::lower_bound(page.entries.begin(), page.entries.end(), lane, is_before);
    if (at != page.entries.end() && at->first == lane) {
        at->second = tip;
        return;
    }
    page.entries.insert(at, {lane, tip});
    ++size_;
}

Digest Cut::root() const {
    if (pages_.empty()) return hash(HashDomain::cut, {});
    if (pages_.size() == 1) return pages_.front()->digest();
    Hasher root{HashDomain::cut_pages};
    for (const PagePtr& page : pages_)
        root.update_u64(page->number).update(page->digest());
    return root.finish();
}

bool operator==(const Cut& a, const Cut& b) {
    if (a.size_ != b.size_ || a.pages_.size() != b.pages_.size()) return false;
    const auto same = [](const Cut::PagePtr& one, const Cut::PagePtr& other) {
        return one == other || (one->number == other->number && one->entries == other->entries);
    };
    return std::equal(a.pages_.begin(), a.pages_.end(), b.pages_.begin(), same);
}

void encode(Writer& w, const LaneTip& v) {
    encode(w, v.sequence);
    encode(w, v.id);
}

void decode(Reader& r, LaneTip& v) {
    decode(r, v.sequence);
    decode(r, v.id);
}

}  // namespace creto
