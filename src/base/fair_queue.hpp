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
// Cost     O(log callers) to push and to pop; a caller without work leaves nothing behind once its
//          clock was overtaken.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ring.hpp"

namespace creto {

template <class Key, class Item>
class FairQueue {
public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t size_of(const Key& key) const {
        const auto lane = lanes_.find(key);
        return lane == lanes_.end() ? 0 : lane->second.items.size();
    }
    /// What waits, of everybody, added up by push().
    [[nodiscard]] std::uint64_t cost_of(const Key& key) const {
        const auto lane = lanes_.find(key);
        return lane == lanes_.end() ? 0 : lane->second.cost;
    }

    /// `cost` is what it will cost, or a guess: see charge().
    void push(const Key& key, std::uint64_t cost, Item item) {
        Lane& lane = lanes_.try_emplace(key, Lane{{}, now_, 0}).first->second;
        if (lane.items.empty()) {
            auto node = idle_.extract({lane.clock, key});
            lane.clock = std::max(lane.clock, now_);
            if (node) {
                node.value().first = lane.clock;
                turns_.insert(std::move(node));
            } else {
                turns_.emplace(lane.clock, key);
            }
        }
        lane.items.push_back({cost, std::move(item)});
        lane.cost += cost;
        ++size_;
    }

    struct Popped {
        Key key;
        Item item;
    };
    /// The next piece of whoever is furthest behind and may be served; none: nobody.
    template <class May>
    [[nodiscard]] std::optional<Popped> pop(const May& may) {
        for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
            if (!may(turn->second)) continue;
            now_ = std::max(now_, turn->first);
            auto node = turns_.extract(turn);  // Moved, so that no turn costs an allocation.
            const Key key = node.value().second;
            Lane& lane = lanes_.find(key)->second;
            Waiting next = std::move(lane.items.front());
            lane.items.pop_front();
            lane.cost -= next.cost;
            lane.clock += next.cost;
            latest_ = std::max(latest_, lane.clock);
            --size_;
            node.value().first = lane.clock;
            (lane.items.empty() ? idle_ : turns_).insert(std::move(node));
            settle();
            return Popped{key, std::move(next.item)};
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<Popped> pop() {
        return pop([](const Key& /*key*/) { return true; });
    }

    /// What an earlier piece cost beyond (or, below zero, short of) what push() was told.
    void charge(const Key& key, std::int64_t more) {
        const auto found = lanes_.try_emplace(key, Lane{{}, now_, 0}).first;
        Lane& lane = found->second;
        auto& place = lane.items.empty() ? idle_ : turns_;
        place.erase({lane.clock, key});
        if (more < 0) {
            const auto less = static_cast<std::uint64_t>(-more);
            lane.clock -= std::min(less, lane.clock);
        } else {
            lane.clock += static_cast<std::uint64_t>(more);
        }
        lane.clock = std::max(lane.clock, now_);
        latest_ = std::max(latest_, lane.clock);
        place.emplace(lane.clock, key);
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
        const auto found = lanes_.find(key);
        if (found == lanes_.end() || found->second.items.empty()) return taken;
        Lane& lane = found->second;
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
    /// Whose queue is longest. Requires: not empty. O(callers).
    [[nodiscard]] const Key& greediest() const {
        auto most = lanes_.begin();
        for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane)
            if (lane->second.items.size() > most->second.items.size()) most = lane;
        return most->first;
    }
    /// Takes back the newest piece of a caller. Requires: it has one.
    [[nodiscard]] Item take_newest(const Key& key) {
        Lane& lane = lanes_.at(key);
        Waiting newest = std::move(lane.items.back());
        lane.items.pop_back();
        lane.cost -= newest.cost;
        --size_;
        if (lane.items.empty()) rest(lane, key);
        return std::move(newest.item);
    }
    template <class Visit>
    void for_each(const Visit& visit) const {
        for (const auto& [key, lane] : lanes_)
            for (std::size_t i = 0; i < lane.items.size(); ++i)
                visit(lane.items[i].item);
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

    /// A caller whose last piece was taken back.
    void rest(const Lane& lane, const Key& key) {
        turns_.erase({lane.clock, key});
        idle_.emplace(lane.clock, key);
        settle();
    }
    /// Who has no work is kept only while its clock is ahead of the last piece served, but a few keep
    /// their memory. When nobody has any, nobody is ahead.
    void settle() {
        if (size_ == 0) now_ = latest_;
        while (lanes_.size() > lanes_kept && !idle_.empty() && idle_.begin()->first <= now_) {
            lanes_.erase(idle_.begin()->second);
            idle_.erase(idle_.begin());
        }
    }
    static constexpr std::size_t lanes_kept = 16;

    std::map<Key, Lane> lanes_;
    std::set<std::pair<std::uint64_t, Key>> turns_;  ///< Of callers with work, by their clocks.
    std::set<std::pair<std::uint64_t, Key>> idle_;   ///< Of the others.
    std::uint64_t now_ = 0;                          ///< The clock of the last piece served.
    std::uint64_t latest_ = 0;                       ///< The highest of any caller so far.
    std::size_t size_ = 0;
};

}  // namespace creto
