#include "sim/trace.hpp"

namespace creto {

TraceHash::TraceHash() : hasher_{HashDomain::trace}, buffer_(record_bytes * 1024) {}

void TraceHash::flush() {
    hasher_.update(buffer_);
    used_ = 0;
}

Digest TraceHash::digest() const {
    Hasher sofar = hasher_;
    sofar.update(ByteView{buffer_}.first(used_));
    return sofar.finish();
}

}  // namespace creto
