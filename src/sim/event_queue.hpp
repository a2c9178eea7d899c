// EventQueue: what happens next in virtual time; a radix heap.
//
// Why      The queue is touched twice for every message; this one is flat from 10^4 to 10^7
//          pending events, without a tuning constant.
// Source   Radix heap: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster Algorithms for the Shortest Path
//          Problem" (1990), section 3.
// Holds    [SIM-ORDER] Events leave in the order of (instant, order of push): total, and the same
//          on every machine. Equal instants always share a bucket and buckets keep their order
//          when they are split, so the number of the push need not be stored.
//          Monotone: nothing is pushed before the last instant that was popped.
// Units    16 bytes an event: the instant and 64 bits that are the caller's, such as a kind, a
//          node and the index of a payload.
// Cost     O(1) amortised over the 64 bits of time. Buckets keep their memory: nothing is
//          allocated once the largest number of pending events was reached.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto {

struct SimEvent {
    Instant at;
    std::uint64_t payload = 0;

    friend bool operator==(const SimEvent&, const SimEvent&) = default;
};

class EventQueue {
public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// The last instant that was popped; nothing can be pushed before it.
    [[nodiscard]] Instant now() const { return Instant::from_ns(static_cast<std::int64_t>(last_)); }

    /// Requires: at >= now().
    void push(Instant at, std::uint64_t payload) {
        CRETO_ASSERT(at >= now());
        ++size_;
        if (least_ && at < *least_ && at > now()) least_ = at;
        insert({at, payload});
    }

    /// The instant of the event that pop() would give. Requires: not empty.
    [[nodiscard]] Instant next_at() const {
        CRETO_ASSERT(size_ > 0);
        if (first_ < buckets_[0].size()) return now();
        if (least_) return *least_;
        const auto& bucket = buckets_[lowest_bucket()];
        Instant least = bucket.front().at;
        for (const SimEvent& event : bucket)
            if (event.at < least) least = event.at;
        least_ = least;
        return least;
    }

    /// Requires: not empty.
    SimEvent pop() {
        CRETO_ASSERT(size_ > 0);
        if (first_ == buckets_[0].size()) refill();
        --size_;
        return buckets_[0][first_++];
    }

private:
    using Bucket = std::vector<SimEvent>;
    static constexpr std::size_t bucket_count = 65;

    /// Bucket 0 holds what happens now; bucket k what first differs from now in bit k - 1.
    void insert(const SimEvent& event) {
        const std::uint64_t difference = static_cast<std::uint64_t>(event.at.ns()) ^ last_;
        const auto index = static_cast<std::size_t>(std::bit_width(difference));
        buckets_[index].push_back(event);
        if (index > 0) occupied_ |= std::uint64_t{1} << (index - 1);
    }

    [[nodiscard]] std::size_t lowest_bucket() const {
        return static_cast<std::size_t>(std::countr_zero(occupied_)) + 1;
    }

    /// Moves now() to the next event and splits its bucket among the lower ones, in order.
    void refill() {
        buckets_[0].clear();
        first_ = 0;
        const std::size_t index = lowest_bucket();
        Bucket& bucket = buckets_[index];
        last_ = static_cast<std::uint64_t>(next_at().ns());
        least_.reset();
        occupied_ &= ~(std::uint64_t{1} << (index - 1));
        for (const SimEvent& event : bucket)
            insert(event);
        bucket.clear();
    }

    std::array<Bucket, bucket_count> buckets_;
    std::uint64_t occupied_ = 0;  ///< Bit k - 1 is set when bucket k holds something.
    std::uint64_t last_ = 0;
    mutable std::optional<Instant>
        least_;              ///< Of what lies beyond bucket 0, once it was asked for.
    std::size_t first_ = 0;  ///< What of bucket 0 was popped already.
    std::size_t size_ = 0;
};

}  // namespace creto
