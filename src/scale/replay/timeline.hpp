// Timeline: how long something took, by when in the run it was asked for.
//
// Why      Whether a store slows down is a question about the last hours of a day against the first.
// Holds    Nothing is dropped: at most `bins_max` bins of equal width, which doubles when they are used up.
// Units    Virtual time for when, real time for how long.
// Cost     O(1) to add; 64 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto {

class Timeline {
public:
    static constexpr std::size_t bins_max = 4'096;

    void add(Duration at, Duration took) {
        CRETO_ASSERT(at >= Duration{});
        while (place_of(at) >= bins_max)
            halve();
        const std::size_t place = place_of(at);
        if (place >= bins_.size()) bins_.resize(place + 1);
        bins_[place].sum = bins_[place].sum + took;
        ++bins_[place].count;
    }

    /// Of the bins that begin in [from, to); none when nothing was asked for there.
    [[nodiscard]] std::optional<double> mean_ns(Duration from, Duration to) const {
        double sum = 0;
        std::uint64_t count = 0;
        for (std::size_t i = 0; i < bins_.size(); ++i) {
            const Duration begin = width_ * static_cast<std::int64_t>(i);
            if (begin < from || begin >= to) continue;
            sum += static_cast<double>(bins_[i].sum.ns());
            count += bins_[i].count;
        }
        if (count == 0) return std::nullopt;
        return sum / static_cast<double>(count);
    }

    /// The slowest of the later quarters of [from, to) over the first. None: a quarter is empty.
    [[nodiscard]] std::optional<double> slowdown(Duration from, Duration to) const {
        constexpr std::int64_t parts = 4;
        std::array<double, parts> means{};
        for (std::int64_t i = 0; i < parts; ++i) {
            const Duration span = to - from;
            const auto mean = mean_ns(from + span / parts * i, from + span / parts * (i + 1));
            if (!mean || *mean <= 0) return std::nullopt;
            means.at(static_cast<std::size_t>(i)) = *mean;
        }
        return *std::max_element(means.begin() + 1, means.end()) / means[0];
    }

private:
    struct Bin {
        Duration sum;
        std::uint64_t count = 0;
    };

    [[nodiscard]] std::size_t place_of(Duration at) const {
        return static_cast<std::size_t>(at.ns() / width_.ns());
    }
    void halve() {
        std::vector<Bin> wider((bins_.size() + 1) / 2);
        for (std::size_t i = 0; i < bins_.size(); ++i) {
            wider[i / 2].sum = wider[i / 2].sum + bins_[i].sum;
            wider[i / 2].count += bins_[i].count;
        }
        bins_ = std::move(wider);
        width_ = width_ * 2;
    }

    Duration width_ = Duration::from_ms(500);
    std::vector<Bin> bins_;
};

}  // namespace creto
