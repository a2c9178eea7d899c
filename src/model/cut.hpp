// Cut: how far every lane has come, as one value.
//
// Why      Each block makes a cut from its parent's, and with a thousand lanes a handful of them move:
//          neighbouring lanes share a page, and a page is shared by all cuts in which its lanes have
//          come as far. So a copy, what changed between two cuts, and the root cost what changed.
// Source   Autobahn (SOSP 2024) for cuts of lanes; ORDER rules L1 and L2 in docs/spec/ordering.md.
// Holds    Lanes that have not started are absent. Two cuts are equal when their lanes and tips are,
//          whatever they share. The entries are in the order of lanes.
// Cost     A copy is one pointer for each 32 seats; find() a search within 32 lanes; set() copies
//          one page, if it is shared. One thread at a time may ask for the root of cuts that share.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/digest.hpp"
#include "model/ids.hpp"

namespace creto {

/// How far one lane has come.
struct LaneTip {
    Sequence sequence;
    VertexId id;
    friend bool operator==(const LaneTip&, const LaneTip&) = default;
};

class Cut {
public:
    using Entry = std::pair<LaneId, LaneTip>;
    /// Lanes of so many seats, counted from seat 0, are a page. Part of the root's definition.
    static constexpr std::uint32_t seats_per_page = 32;

    class Iterator;

    Cut() = default;
    Cut(std::initializer_list<Entry> entries);

    /// Null when the lane has not started.
    [[nodiscard]] const LaneTip* find(const LaneId& lane) const;
    /// Its sequence is 0 when the lane has not started.
    [[nodiscard]] LaneTip tip(const LaneId& lane) const;
    void set(const LaneId& lane, const LaneTip& tip);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] Iterator end() const;

    /// `visit(lane, tip)` for each entry that `before` has not or has with another tip, in order.
    template <class Visit>
    void changes_since(const Cut& before, Visit visit) const;

    /// The hash of all entries; with more than one page, of the pages' numbers and hashes. [ORD-L1.2]
    [[nodiscard]] Digest root() const;

    friend bool operator==(const Cut& a, const Cut& b);

private:
    struct Page {
        std::uint32_t number = 0;    ///< Of its seats, divided by seats_per_page.
        std::vector<Entry> entries;  ///< Not empty.
        mutable std::optional<Digest> root;

        [[nodiscard]] const LaneTip* find(const LaneId& lane) const;
        [[nodiscard]] const Digest& digest() const;
    };
    using PagePtr = std::shared_ptr<Page>;  ///< Changed only by its one owner.
    using Pages = std::vector<PagePtr>;

    /// Where the page is, or would be.
    [[nodiscard]] Pages::const_iterator place(std::uint32_t number) const;
    [[nodiscard]] const Page* page(std::uint32_t number) const;

    Pages
        pages_;  ///< By number: a seat's number can be any, and only those that started have pages.
    std::size_t size_ = 0;
};

class Cut::Iterator {
public:
    using value_type = Entry;
    using reference = const Entry&;
    using pointer = const Entry*;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    reference operator*() const { return (*page_)->entries[at_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
        if (++at_ == (*page_)->entries.size()) {
            at_ = 0;
            ++page_;
        }
        return *this;
    }
    Iterator operator++(int) {
        Iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

private:
    friend class Cut;
    explicit Iterator(Pages::const_iterator page) : page_{page} {}

    Pages::const_iterator page_;
    std::size_t at_ = 0;
};

inline Cut::Iterator Cut::begin() const {
    return Iterator{pages_.begin()};
}

inline Cut::Iterator Cut::end() const {
    return Iterator{pages_.end()};
}

template <class Visit>
void Cut::changes_since(const Cut& before, Visit visit) const {
    for (const PagePtr& now : pages_) {
        const Page* const then = before.page(now->number);
        if (now.get() == then) continue;
        for (const auto& [lane, tip] : now->entries) {
            const LaneTip* const old = then == nullptr ? nullptr : then->find(lane);
            if (old == nullptr || *old != tip) visit(lane, tip);
        }
    }
}

void encode(Writer& w, const LaneTip& v);
void decode(Reader& r, LaneTip& v);

}  // namespace creto
