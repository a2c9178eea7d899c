// Histogram: how often each latency occurred, to 1.6 %, in a few kilobytes.
//
// Why      Percentiles of several runs or nodes come from added counts; averaged percentiles mean
//          nothing.
// Source   HdrHistogram's layout: buckets as wide as a sixty-fourth of their power of two.
// Holds    count() of a merge is the sum of the counts, and a percentile of it is one of the values.
// Units    Whatever the values are, here microseconds; negative ones count as zero.
// Cost     O(1) to add; O(buckets) for a percentile; 8 bytes a bucket, up to the largest value.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace creto {

class Histogram {
public:
    void add(std::int64_t value) {
        const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value));
        const std::size_t place = place_of(positive);
        if (place >= counts_.size()) counts_.resize(place + 1);
        ++counts_[place];
        ++count_;
        sum_ += positive;
        max_ = std::max(max_, positive);
    }
    void merge(const Histogram& other) {
        if (counts_.size() < other.counts_.size()) counts_.resize(other.counts_.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i)
            counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
        max_ = std::max(max_, other.max_);
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t max() const { return max_; }
    [[nodiscard]] std::uint64_t mean() const { return count_ == 0 ? 0 : sum_ / count_; }
    /// The value that `permille` of all lie at or below; zero when there are none.
    [[nodiscard]] std::uint64_t at(std::uint64_t permille) const {
        const std::uint64_t wanted = std::max<std::uint64_t>(1, (count_ * permille + 999) / 1'000);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= wanted) return std::min(top_of(i), max_);
        }
        return 0;
    }
    /// Calls visit(upper end, count) for every bucket that is not empty, ascending.
    template <class Visit>
    void each(Visit visit) const {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if (counts_[i] > 0) visit(std::min(top_of(i), max_), counts_[i]);
    }

private:
    static constexpr unsigned sub_bits = 6;
    static constexpr std::uint64_t sub_count = std::uint64_t{1} << sub_bits;

    static std::size_t place_of(std::uint64_t value) {
        if (value < sub_count) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
        return (shift + 1) * sub_count + ((value >> shift) - sub_count);
    }
    /// The greatest value that belongs to the bucket.
    static std::uint64_t top_of(std::size_t place) {
        if (place < sub_count) return place;
        const auto shift = static_cast<unsigned>(place / sub_count - 1);
        return ((place % sub_count + sub_count + 1) << shift) - 1;
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace creto
