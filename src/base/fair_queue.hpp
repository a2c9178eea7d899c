// FairQueue: work of many callers in one queue, served so that each gets an equal share.
//
// Why      In one line for all, whoever brings a hundred thousand pieces of work makes everybody else
//          wait for them.
// Source   Start-time fair queueing (Goyal, Vin, Cheng 1996): each caller has a clock that runs by what
//          its work costs; whoever is furthest behind is served next. Chosen before deficit round robin
//          because what a tool costs is only known when it has run: charge() corrects the clock then.
// Holds    [FLOOD-FAIR.1] While two callers both have work that may run, what they are served differs by
//          no more than one piece of each (and what is still to be charged), however much one of them
//          brings; a caller that comes with its first piece waits for no second piece of anybody
//          else who was served before. Within one caller: first in, first out. Who had nothing to do
//          saves up nothing.
// Cost     O(log callers) to push and to pop, in memory that stands close together; a caller without work leaves nothing behind once its
//          clock was overtaken.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/key_cells.hpp"
#include "base/ring.hpp"

namespace creto {

template <class Key, class Item>
class FairQueue {
public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t size_of(const Key& key) const {
        const Lane* const lane = lanes_.find(key);
        return lane == nullptr ? 0 : lane->items.size();
    }
    /// What waits, of everybody, added up by push().
    [[nodiscard]] std::uint64_t cost_of(const Key& key) const {
        const Lane* const lane = lanes_.find(key);
        return lane == nullptr ? 0 : lane->cost;
    }

    /// `cost` is what it will cost, or a guess: see charge().
    void push(const Key& key, std::uint64_t cost, Item item) {
        Lane& lane = lane_of(key);
        const bool is_back = lane.items.empty();
        if (is_back) lane.clock = std::max(lane.clock, now_);
        lane.items.push_back({cost, std::move(item)});
        lane.cost += cost;
        ++size_;
        if (is_back) note(turns_, lane.clock, key);
    }

    struct Popped {
        Key key;
        Item item;
    };
    /// The next piece of whoever is furthest behind and may be served; none: nobody.
    template <class May>
    [[nodiscard]] std::optional<Popped> pop(const May& may) {
        Turns passed_over;
        std::optional<Popped> popped;
        while (!popped && !turns_.empty()) {
            const Turn turn = take_first(turns_);
            Lane* const lane = lane_at(turn, true);
            if (lane == nullptr) continue;
            if (!may(turn.key)) {
                passed_over.push_back(turn);
                continue;
            }
            now_ = std::max(now_, turn.clock);
            Waiting next = std::move(lane->items.front());
            lane->items.pop_front();
            lane->cost -= next.cost;
            lane->clock += next.cost;
            latest_ = std::max(latest_, lane->clock);
            --size_;
            note(lane->items.empty() ? idle_ : turns_, lane->clock, turn.key);
            popped.emplace(Popped{turn.key, std::move(next.item)});
        }
        for (const Turn& turn : passed_over)
            note(turns_, turn.clock, turn.key);
        if (popped) settle();
        return popped;
    }
    [[nodiscard]] std::optional<Popped> pop() {
        return pop([](const Key& /*key*/) { return true; });
    }

    /// What an earlier piece cost beyond (or, below zero, short of) what push() was told.
    void charge(const Key& key, std::int64_t more) {
        Lane& lane = lane_of(key);
        if (more < 0) {
            const auto less = static_cast<std::uint64_t>(-more);
            lane.clock -= std::min(less, lane.clock);
        } else {
            lane.clock += static_cast<std::uint64_t>(more);
        }
        lane.clock = std::max(lane.clock, now_);
        latest_ = std::max(latest_, lane.clock);
        note(lane.items.empty() ? idle_ : turns_, lane.clock, key);
        settle();
    }

    /// All that waits of one caller, oldest first.
    [[nodiscard]] std::vector<Item> take(const Key& key) {
        return take_if(key, [](const Item& /*item*/) { return true; });
    }
    /// The same, of those for which `is_it` holds.
    template <class Is>
    [[nodiscard]] std::vector<Item> take_if(const Key& key, const Is& is_it) {
        std::vector<Item> taken;
        Lane* const found = lanes_.find(key);
        if (found == nullptr || found->items.empty()) return taken;
        Lane& lane = *found;
        Ring<Waiting> left;
        for (std::size_t i = 0; i < lane.items.size(); ++i) {
            Waiting& waiting = lane.items[i];
            if (!is_it(waiting.item)) {
                left.push_back(std::move(waiting));
                continue;
            }
            lane.cost -= waiting.cost;
            --size_;
            taken.push_back(std::move(waiting.item));
        }
        lane.items = std::move(left);
        if (lane.items.empty()) rest(lane, key);
        return taken;
    }
    /// Whose queue is longest; of equals the first by key. Requires: not empty. O(callers).
    [[nodiscard]] const Key& greediest() const {
        auto most = lanes_.begin();
        for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
            const std::size_t waits = lane->value.items.size();
            const std::size_t most_waits = most->value.items.size();
            if (waits > most_waits || (waits == most_waits && lane->key < most->key)) most = lane;
        }
        return most->key;
    }
    /// Takes back the newest piece of a caller. Requires: it has one.
    [[nodiscard]] Item take_newest(const Key& key) {
        Lane& lane = *lanes_.find(key);
        Waiting newest = std::move(lane.items.back());
        lane.items.pop_back();
        lane.cost -= newest.cost;
        --size_;
        if (lane.items.empty()) rest(lane, key);
        return std::move(newest.item);
    }
    /// In no order that means anything.
    template <class Visit>
    void for_each(const Visit& visit) const {
        for (const auto& entry : lanes_)
            for (std::size_t i = 0; i < entry.value.items.size(); ++i)
                visit(entry.value.items[i].item);
    }
    [[nodiscard]] std::size_t callers() const { return lanes_.size(); }
    void clear() {
        lanes_.clear();
        turns_.clear();
        idle_.clear();
        size_ = 0;
    }

private:
    struct Waiting {
        std::uint64_t cost = 0;
        Item item;
    };
    struct Lane {
        Ring<Waiting> items;
        std::uint64_t clock = 0;  ///< When, by its own clock, its next piece starts.
        std::uint64_t cost = 0;   ///< Sum over items.
    };

    /// When whose turn is: true as long as its lane has this clock, and work or none. What is no more true
    /// is dropped when it comes up.
    struct Turn {
        std::uint64_t clock = 0;
        Key key;
        friend bool operator==(const Turn&, const Turn&) = default;
        friend bool operator<(const Turn& a, const Turn& b) {
            return a.clock != b.clock ? a.clock < b.clock : a.key < b.key;
        }
    };
    using Turns = std::vector<Turn>;  ///< A heap, the earliest first.
    static bool is_later(const Turn& a, const Turn& b) { return b < a; }

    /// The lane that this is true of; null: none.
    [[nodiscard]] Lane* lane_at(const Turn& turn, bool has_work) {
        Lane* const lane = lanes_.find(turn.key);
        const bool is_true =
            lane != nullptr && lane->clock == turn.clock && lane->items.empty() != has_work;
        return is_true ? lane : nullptr;
    }
    void note(Turns& turns, std::uint64_t clock, const Key& key) {
        turns.push_back({clock, key});
        std::push_heap(turns.begin(), turns.end(), is_later);
        if (turns.size() <= 2 * lanes_.size() + turns_spare) return;
        std::erase_if(turns, [&](const Turn& turn) {
            return lane_at(turn, &turns == &turns_) == nullptr;
        });
        std::sort(turns.begin(), turns.end());  // Which is a heap, too.
        turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
    }
    static Turn take_first(Turns& turns) {
        std::pop_heap(turns.begin(), turns.end(), is_later);
        const Turn first = turns.back();
        turns.pop_back();
        return first;
    }
    Lane& lane_of(const Key& key) {
        return lanes_.find_or_add(key, [this] { return Lane{{}, now_, 0}; });
    }
    /// A caller whose last piece was taken back.
    void rest(const Lane& lane, const Key& key) {
        note(idle_, lane.clock, key);
        settle();
    }
    /// Who has no work is kept only while its clock is ahead of the last piece served, but a few keep
    /// their memory. When nobody has any, nobody is ahead.
    void settle() {
        if (size_ == 0) now_ = latest_;
        while (lanes_.size() > lanes_kept && !idle_.empty() && idle_.front().clock <= now_) {
            const Turn turn = take_first(idle_);
            if (lane_at(turn, false) != nullptr) lanes_.erase(turn.key);
        }
    }
    static constexpr std::size_t lanes_kept = 16;
    static constexpr std::size_t turns_spare = 32;

    KeyTable<Key, Lane> lanes_;
    Turns turns_;               ///< Of callers with work, by their clocks.
    Turns idle_;                ///< Of the others.
    std::uint64_t now_ = 0;     ///< The clock of the last piece served.
    std::uint64_t latest_ = 0;  ///< The highest of any caller so far.
    std::size_t size_ = 0;
};

}  // namespace creto
