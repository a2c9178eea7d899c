#include "model/session.hpp"

namespace creto {

std::string session_text(const SessionToken& token) {
    return to_hex(encode_bytes(token));
}

Result<SessionToken> parse_session(std::string_view text) {
    if (const auto bytes = from_hex(text)) {
        if (auto token = decode_exact<SessionToken>(*bytes)) return std::move(*token);
    }
    return fail(
        ErrorCode::invalid, "that is no session token; a write answers with one, as \"session\""
    );
}

void encode(Writer& w, const SessionToken& v) {
    encode(w, v.height);
    w.boolean(v.tip.has_value());
    if (v.tip) encode(w, *v.tip);
}

void decode(Reader& r, SessionToken& v) {
    decode(r, v.height);
    if (r.boolean()) decode(r, v.tip.emplace());
}

}  // namespace creto
