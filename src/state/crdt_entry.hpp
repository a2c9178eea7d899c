// CrdtEntry: what one slot of the causal data holds: at most one live value for each lane.
//
// Source   Op-based CRDTs after Shapiro et al. (2011); a value is taken away by naming the dot that
//          the writer had observed (Bieniusa et al. 2012), so nothing else is. Unlike theirs, a lane
//          is one writer: what it writes replaces what it wrote to the slot before.
// Holds    [CRDT-CONVERGE.1] live = each lane's latest write, unless it took the value away or some
//          write names it as observed. The order in which writes arrive does not matter.
//          [CRDT-SET.1] So an add that a removal had not seen stays: adding wins.
// Kinds    One mechanism, read in five ways. A counter's values are the lanes' shares, and it is their
//          sum. A register is all its values, or the last of them. A set has an element while the
//          element's slot has a value, a list has one for each slot.
// Format   The leaf holds the values' digests: writing a slot again costs what changed, not what is
//          there.
#pragma once

#include <cstdint>
#include <vector>

#include "model/operation.hpp"

namespace creto {

struct CrdtEntry {
    struct Live {
        Dot dot;
        std::uint64_t depth = 0;  ///< Of its vertex: which of several is the last.
        Digest digest;            ///< merkle_value(value).
        Bytes value;              ///< Not part of the leaf.
        friend bool operator==(const Live&, const Live&) = default;
    };

    std::vector<Live> values;  ///< By lane, one each.

    friend bool operator==(const CrdtEntry&, const CrdtEntry&) = default;
};

void encode(Writer& w, const CrdtEntry& v);
void decode(Reader& r, CrdtEntry& v);

/// What a lane's share of a counter is once this was added: eight bytes.
[[nodiscard]] Bytes share_after(const CrdtOperation& add);
/// The share that the bytes are; 0 when they are none.
[[nodiscard]] std::uint64_t read_share(ByteView bytes);

}  // namespace creto
