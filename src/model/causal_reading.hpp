// CausalReading: what is read at one place of the causal data, for each kind that it holds.
//
// Why      Two sides of a cut may use one key in two ways. Nothing is lost then: the reading shows
//          both, and whoever knows better removes one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "model/limits.hpp"

namespace creto {

/// Which part of a set, list or map is wanted: `count` of them, after the first `from`.
struct ReadRange {
    std::uint64_t from = 0;
    std::uint32_t count = limits::read_items_max;
};

struct CausalReading {
    bool found = false;
    std::vector<Bytes> values;            ///< Of a register: concurrent ones, distinct, ascending.
    std::optional<std::int64_t> counter;  ///< When the place was counted.
    std::optional<Bytes> last;            ///< Of a register: the last written.
    std::vector<Bytes> elements;          ///< Of a set, ascending.
    std::vector<Bytes> items;             ///< Of a list.
    std::vector<std::string> fields;      ///< Of a map: those that hold something, ascending.
    bool more = false;                    ///< The range was too short for all there is.
    friend bool operator==(const CausalReading&, const CausalReading&) = default;
};

}  // namespace creto
