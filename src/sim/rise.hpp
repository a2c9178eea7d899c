// Rise: whether a quantity that was looked at again and again keeps growing.
//
// Why      What grows a little each hour ends a process in a week, long after every short test.
// Source   Least squares over the second half of the samples, so that filling up to a steady level
//          counts for nothing; the level's own noise is the measure.
// Holds    rises() is false for a level with noise, for a sawtooth of at least two teeth, and for
//          what grows and then stays; true for a line. In whole numbers only.
// Units    Samples at equal distances; the slack in the quantity's own unit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace creto {

class Rise {
public:
    void add(std::int64_t value) { samples_.push_back(value); }
    [[nodiscard]] std::size_t size() const { return samples_.size(); }

    /// Over the second half the fitted line rises by more than `slack` and more than a quarter of
    /// the half's mean, and each third of it lies above the one before.
    [[nodiscard]] bool rises(std::int64_t slack) const {
        const std::size_t first = samples_.size() / 2;
        const auto n = static_cast<std::int64_t>(samples_.size() - first);
        if (n < 9) return false;
        const std::int64_t growth = fitted_growth(first, n);
        const std::int64_t mean = sum(first, samples_.size()) / n;
        if (growth <= slack || growth * 4 <= mean) return false;
        const auto third = static_cast<std::size_t>(n / 3);
        const std::int64_t low = sum(first, first + third);
        const std::int64_t middle = sum(first + third, first + 2 * third);
        const std::int64_t high = sum(first + 2 * third, first + 3 * third);
        return low < middle && middle < high;
    }

private:
    [[nodiscard]] std::int64_t sum(std::size_t from, std::size_t to) const {
        std::int64_t total = 0;
        for (std::size_t i = from; i < to; ++i)
            total += samples_[i];
        return total;
    }
    /// Slope times length: n * sum(x y) - sum(x) sum(y), over n * sum(x x) - sum(x)^2.
    [[nodiscard]] std::int64_t fitted_growth(std::size_t first, std::int64_t n) const {
        std::int64_t x_sum = 0;
        std::int64_t y_sum = 0;
        std::int64_t xy_sum = 0;
        std::int64_t xx_sum = 0;
        for (std::int64_t x = 0; x < n; ++x) {
            const std::int64_t y = samples_[first + static_cast<std::size_t>(x)];
            x_sum += x;
            y_sum += y;
            xy_sum += x * y;
            xx_sum += x * x;
        }
        const std::int64_t over = n * xy_sum - x_sum * y_sum;
        const std::int64_t under = n * xx_sum - x_sum * x_sum;
        return over / std::max<std::int64_t>(1, under / n);
    }

    std::vector<std::int64_t> samples_;
};

}  // namespace creto
