#include "model/seat_set.hpp"

#include <algorithm>

namespace creto {

void encode(Writer& w, const SeatSet& v) {
    std::size_t size = v.bytes_.size();
    while (size > 0 && v.bytes_[size - 1] == 0)
        --size;
    w.bytes(ByteView{v.bytes_}.first(size));
}

void decode(Reader& r, SeatSet& v) {
    const ByteView bytes = r.bytes(SeatSet::bytes_max);
    if (!bytes.empty() && bytes.back() == 0) return r.fail(DecodeError::bad_value);
    v.bytes_ = {};
    std::copy(bytes.begin(), bytes.end(), v.bytes_.begin());
}

void encode(Writer& w, const Hearing& v) {
    w.u64(v.roster);
    encode(w, v.heard);
    encode(w, v.lately);
}

void decode(Reader& r, Hearing& v) {
    v.roster = r.u64();
    decode(r, v.heard);
    decode(r, v.lately);
}

}  // namespace creto
