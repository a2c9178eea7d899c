#include "model/roster_link.hpp"

#include "model/limits.hpp"

namespace creto {

namespace {

/// What a link has beside the rest; none is usual.
constexpr std::uint8_t has_echo = 1;
constexpr std::uint8_t has_dormant = 2;
constexpr std::uint8_t has_parameters = 4;

}  // namespace

void encode(Writer& w, const RosterLink& v) {
    encode(w, v.boundary);
    w.u8(static_cast<std::uint8_t>(
        (v.echo ? has_echo : 0) | (v.dormant > 0 ? has_dormant : 0) |
        (v.parameters ? has_parameters : 0)
    ));
    if (v.echo) encode(w, *v.echo);
    encode(w, v.finalization);
    encode_list(w, v.members);
    if (v.dormant > 0) w.uvarint(v.dormant);
    if (v.parameters) encode(w, *v.parameters);
}

void decode(Reader& r, RosterLink& v) {
    decode(r, v.boundary);
    v.echo.reset();
    const std::uint8_t more = r.kind(has_echo | has_dormant | has_parameters);
    if ((more & has_echo) != 0) decode(r, v.echo.emplace());
    decode(r, v.finalization);
    decode_list(r, v.members, limits::seats_max, 34);
    const std::uint64_t dormant = (more & has_dormant) != 0 ? r.uvarint() : 0;
    if (dormant > limits::seats_max || ((more & has_dormant) != 0 && dormant == 0))
        r.fail(DecodeError::over_limit);
    v.dormant = static_cast<std::uint32_t>(dormant);
    v.parameters.reset();
    if ((more & has_parameters) != 0) decode(r, v.parameters.emplace());
}

}  // namespace creto
