// SessionToken: what a client has seen of the network, to be shown to the node that it asks next.
//
// Why      Whoever writes at one node and reads at another wants to find what it wrote: the other
//          waits until it has come so far, or says that it has not.
// Holds    [SESSION.1] A node that has executed the height, and whose reading counts the vertex, shows
//          the write, all that its lane wrote before, and all that was final where it was answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/vertex_header.hpp"

namespace creto {

struct SessionToken {
    Height height;                 ///< Final where the write was answered.
    std::optional<VertexRef> tip;  ///< Of the writing node's own lane; none without a seat.
    friend bool operator==(const SessionToken&, const SessionToken&) = default;
};

/// Hexadecimal, to be handed on as it is.
[[nodiscard]] std::string session_text(const SessionToken& token);
/// Reads what session_text() wrote.
[[nodiscard]] Result<SessionToken> parse_session(std::string_view text);

void encode(Writer& w, const SessionToken& v);
void decode(Reader& r, SessionToken& v);

}  // namespace creto
