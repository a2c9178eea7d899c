#include "scale/nearest.hpp"

#include <algorithm>

namespace creto {

namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest(
    const std::string& word, const std::vector<std::string>& known, std::size_t most
) {
    std::optional<std::string> best;
    std::size_t distance = most;
    for (const std::string& candidate : known) {
        const std::size_t its = edit_distance(word, candidate);
        if (its > most || (best && its >= distance)) continue;
        best = candidate;
        distance = its;
    }
    return best;
}

}  // namespace creto
