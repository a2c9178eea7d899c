#include "model/piece.hpp"

#include <array>

namespace creto {

const char* to_string(Piece::Kind kind) {
    constexpr std::array<const char*, 3> names{"text", "json", "progress"};
    return names[static_cast<std::size_t>(kind)];
}

void encode(Writer& w, const Piece& v) {
    w.u8(static_cast<std::uint8_t>(v.kind));
    w.text(v.text);
    if (v.kind != Piece::Kind::progress) return;
    w.uvarint(v.done);
    w.uvarint(v.total);
}

void decode(Reader& r, Piece& v) {
    v.kind = static_cast<Piece::Kind>(r.kind(2));
    v.text = r.text(limits::piece_bytes_max);
    if (v.kind != Piece::Kind::progress) return;
    v.done = r.uvarint();
    v.total = r.uvarint();
}

}  // namespace creto
