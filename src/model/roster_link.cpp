#include "model/roster_link.hpp"

#include "model/limits.hpp"

namespace creto {

void encode(Writer& w, const RosterLink& v) {
    encode(w, v.boundary);
    w.boolean(v.echo.has_value());
    if (v.echo) encode(w, *v.echo);
    encode(w, v.finalization);
    encode_list(w, v.members);
}

void decode(Reader& r, RosterLink& v) {
    decode(r, v.boundary);
    v.echo.reset();
    if (r.boolean()) decode(r, v.echo.emplace());
    decode(r, v.finalization);
    decode_list(r, v.members, limits::seats_max, 34);
}

}  // namespace creto
